// What the server holds: how much, where, and whether it has read it again. There is one copy, and the page says so.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { date, size, t } from '../../lang/index.js';
import { message } from '../../parts/problem.js';
import { Progress, Spinner } from '../../parts/progress.js';

/** @typedef {import('../../types').Storage} Storage */

export function Holder() {
    const [storage, setStorage] = useState(/** @type {Storage | null} */ (null));
    const [problem, setProblem] = useState('');
    useEffect(() => {
        const stop = new AbortController();
        api.get('/admin/storage', undefined, stop.signal).then(setStorage, (error) => !stop.signal.aborted && setProblem(message(error)));
        return () => stop.abort();
    }, []);
    if (problem) return html`<p class="notice bad" role="alert">${problem}</p>`;
    if (!storage) return html`<${Spinner} label=${t('shell.loading')} />`;
    const { device } = storage;
    return html`
        <p class="soft">${t('administration.storage.text')}</p>
        <section class="card section-card" aria-labelledby="administration-held">
            <h3 id="administration-held">${t('administration.storage.held')}</h3>
            <dl class="section-facts">
                <div><dt>${t('administration.storage.used')}</dt><dd>${size(storage.used_bytes)}</dd></div>
                <div><dt>${t('administration.storage.stored')}</dt><dd>${size(storage.segments_bytes)}</dd></div>
                <div><dt>${t('administration.storage.chunks')}</dt><dd>${t('administration.storage.segments', { chunks: storage.chunks_count, n: storage.segments_count })}</dd></div>
            </dl>
            <p class="soft small">${t('administration.storage.held.text')}</p>
        </section>
        ${device && html`
            <section class="card section-card" aria-labelledby="administration-device">
                <h3 id="administration-device">${t('administration.storage.device')}</h3>
                <${Progress} value=${device.bytes - device.free_bytes} max=${device.bytes} label=${t('administration.storage.device')} />
                <p>${t('administration.storage.free', { free: size(device.free_bytes), all: size(device.bytes) })}</p>
            </section>
        `}
        <section class="card section-card" aria-labelledby="administration-scrub">
            <h3 id="administration-scrub">${t('administration.storage.scrub')}</h3>
            <${Scrub} storage=${storage} />
        </section>
    `;
}

/** @param {{ storage: Storage }} props */
function Scrub({ storage: { scrub, segments_count: all } }) {
    if (!scrub) return html`<p>${t('administration.storage.scrub.none')}</p>`;
    // A round that begins in the future: the one before has read everything.
    const isBetween = scrub.begins_ms > Date.now();
    return html`
        <p>${isBetween
            ? t('administration.storage.scrub.between', { when: date(scrub.begins_ms) })
            : t('administration.storage.scrub.round', { when: date(scrub.begins_ms), done: scrub.verified_count, n: all })}</p>
        ${!isBetween && (scrub.findings_count > 0
            ? html`<p class="notice bad">${t('administration.storage.scrub.damage', { n: scrub.findings_count })}</p>`
            : html`<p>${t('administration.storage.scrub.good')}</p>`)}
        <p class="soft small">${t('administration.storage.scrub.text', { n: scrub.days })}</p>
    `;
}
