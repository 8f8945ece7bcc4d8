// What is on its way up, at the foot of the drives: how far, and what can be done about it.

import { html, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { Progress } from '../../parts/progress.js';
import * as upload from './upload.js';

const LINES_MAX = 100;

export function Uploads() {
    const all = upload.uploads.value;
    const [isOpen, setOpen] = useState(true);
    if (all.length === 0) return null;
    const done = all.filter((item) => item.state === 'done').length;
    const failed = all.filter((item) => item.state === 'failed' || item.state === 'taken').length;
    const isOver = done + failed === all.length;
    const bytes = all.reduce((sum, item) => sum + item.file.size, 0);
    const sent = all.reduce((sum, item) => sum + item.sent, 0);
    const text = failed > 0 ? t('drive.uploads.failed', { n: failed }) : isOver ? t('drive.uploads.done', { n: done }) : t('drive.uploads.going', { n: all.length - done });
    // What needs somebody comes first.
    const order = { failed: 0, taken: 0, going: 1, paused: 2, waiting: 3, done: 4 };
    const shown = [...all].sort((a, b) => order[a.state] - order[b.state]).slice(0, LINES_MAX);
    return html`
        <section class="drive-uploads" aria-label=${t('drive.uploads')} tabindex="-1" data-landmark>
            <header class="row">
                <span class="grow one-line" role="status">${text}</span>
                <button type="button" class="icon-button" aria-expanded=${String(isOpen)} aria-label=${t('drive.uploads.show')} onClick=${() => setOpen(!isOpen)}><${Icon} name="chevron" class=${isOpen ? 'drive-way is-down' : 'drive-way'} /></button>
                <button type="button" class="icon-button" aria-label=${isOver ? t('do.close') : t('drive.uploads.cancel')} onClick=${() => upload.cancelAll()}><${Icon} name="close" /></button>
            </header>
            ${!isOver && html`<${Progress} value=${sent} max=${Math.max(1, bytes)} label=${t('drive.uploads')} />`}
            ${isOpen && html`<ul class="scroll">${shown.map((item) => html`<${Line} key=${item.id} item=${item} />`)}</ul>`}
        </section>
    `;
}

/** @param {{ item: import('./upload.js').Upload }} props */
function Line({ item }) {
    const name = item.path.split('/').pop() ?? '';
    const button = (/** @type {import('../../parts/icon.js').IconName} */ icon, /** @type {string} */ label, /** @type {() => void} */ run) => html`
        <button type="button" class="icon-button" aria-label=${`${label}: ${name}`} title=${label} onClick=${run}><${Icon} name=${icon} /></button>`;
    const state = item.state === 'failed' ? item.why : item.state === 'taken' ? t('drive.upload.taken') : item.state === 'going' ? `${size(item.sent)} / ${size(item.file.size)}` : t(`drive.upload.${item.state}`);
    return html`
        <li class="drive-upload">
            <span class="grow"><span class="one-line">${name}</span><span class=${`small one-line ${item.state === 'failed' || item.state === 'taken' ? 'wrong' : 'soft'}`}>${state}</span>
                ${item.state === 'going' && html`<${Progress} value=${item.sent} max=${Math.max(1, item.file.size)} label=${name} />`}</span>
            ${item.state === 'taken' && html`
                <button type="button" class="button quiet" onClick=${() => upload.replace(item.id)}>${t('drive.replace')}</button>
                <button type="button" class="button quiet" onClick=${() => upload.keepBoth(item.id)}>${t('drive.both')}</button>`}
            ${item.state === 'going' && button('pause', t('drive.upload.pause'), () => upload.pause(item.id))}
            ${item.state === 'paused' && button('play', t('drive.upload.resume'), () => upload.resume(item.id))}
            ${item.state === 'failed' && button('play', t('do.retry'), () => upload.resume(item.id))}
            ${item.state === 'done' ? html`<${Icon} name="check" class="drive-good" />` : button('close', t('do.cancel'), () => upload.cancel(item.id))}
        </li>
    `;
}
