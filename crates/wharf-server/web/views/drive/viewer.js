// Shows a file: images, films, sound, documents and texts. The arrows go to the one before and after, Escape closes.

import * as api from '../../api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { markdown } from '../../parts/markdown.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { contentUrl, download, thumbnailUrl } from './deeds.js';
import { isViewable, kindOf } from './kinds.js';

/** @typedef {import('../../types').Node} Node */

/** Longer texts are shown up to here. */
const TEXT_BYTES_MAX = 512 * 1024;
/** Documents up to here are loaded whole to be shown. */
const PDF_BYTES_MAX = 100 * 1024 * 1024;
const ROWS_MAX = 1000;

/** @param {import('./model.js').Nodes} nodes @param {Node} node */
export function view(nodes, node) {
    return open(({ close }) => html`<${Viewer} nodes=${nodes} first=${node} close=${close} />`);
}

/** @param {{ nodes: import('./model.js').Nodes, first: Node, close: () => void }} props */
function Viewer({ nodes, first, close }) {
    const all = nodes.shown.value.filter((node) => node.kind === 'file' && isViewable(node));
    const [id, setId] = useState(first.id);
    const at = all.findIndex((node) => node.id === id);
    const node = all[at] ?? first;
    const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
    useLayoutEffect(() => {
        if (ref.current && !ref.current.open) ref.current.showModal();
    }, []);
    const step = (/** @type {number} */ by) => {
        const next = all[at + by];
        if (!next) return;
        setId(next.id);
        nodes.choose(next.id);
    };
    const key = (/** @type {KeyboardEvent} */ event) => {
        if (/** @type {Element} */ (event.target).closest('video, audio')) return;
        if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
            step(event.key === 'ArrowRight' ? 1 : -1);
            event.preventDefault();
        }
    };
    return html`
        <dialog class="drive-viewer" ref=${ref} aria-label=${node.name} onKeyDown=${key} onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); close(); }}>
            <header class="drive-viewer-head">
                <span class="grow one-line"><strong>${node.name}</strong> <span class="small drive-viewer-soft">${size(node.bytes)}${all.length > 1 ? ` · ${at + 1} / ${all.length}` : ''}</span></span>
                <button type="button" class="icon-button" aria-label=${t('drive.download')} title=${t('drive.download')} onClick=${() => download(nodes.room, [node])}><${Icon} name="download" /></button>
                <button type="button" class="icon-button" aria-label=${t('do.close')} onClick=${() => close()}><${Icon} name="close" /></button>
            </header>
            <div class="drive-viewer-body"><${Content} key=${`${node.id} ${node.revision}`} room=${nodes.room} node=${node} /></div>
            ${at > 0 && html`<button type="button" class="drive-viewer-step is-before" aria-label=${t('drive.view.before')} onClick=${() => step(-1)}><${Icon} name="back" /></button>`}
            ${at >= 0 && at < all.length - 1 && html`<button type="button" class="drive-viewer-step is-after" aria-label=${t('drive.view.after')} onClick=${() => step(1)}><${Icon} name="chevron" /></button>`}
        </dialog>
    `;
}

/** @param {{ room: string, node: Node }} props */
function Content({ room, node }) {
    const address = contentUrl(room, node, node.revision);
    switch (kindOf(node)) {
        case 'image': return html`<${Picture} room=${room} node=${node} address=${address} />`;
        case 'video': return html`<video class="drive-viewer-film" src=${address} controls autofocus></video>`;
        case 'audio': return html`<div class="drive-viewer-sound"><${Icon} name="play" class="drive-empty-sign" /><audio src=${address} controls autofocus></audio></div>`;
        case 'pdf': return html`<${Document} node=${node} address=${address} />`;
        default: return html`<${Text} node=${node} address=${address} />`;
    }
}

/** An image; a click shows it as large as it is, another one as it fits. @param {{ room: string, node: Node, address: string }} props */
function Picture({ room, node, address }) {
    const [isLarge, setLarge] = useState(false);
    const [isLoaded, setLoaded] = useState(false);
    const [hasFailed, setFailed] = useState(false);
    if (hasFailed) return html`<p class="drive-viewer-soft">${t('drive.view.cannot')}</p>`;
    const box = node.image ? { aspectRatio: `${node.image.width} / ${node.image.height}` } : {};
    return html`
        <button type="button" class=${`drive-viewer-picture ${isLarge ? 'is-large' : ''}`} aria-label=${t(isLarge ? 'drive.view.fit' : 'drive.view.large')} aria-pressed=${String(isLarge)} autofocus onClick=${() => setLarge(!isLarge)}>
            ${!isLoaded && node.image && html`<img class="drive-viewer-before" src=${thumbnailUrl(room, node, 1280)} alt="" style=${box} />`}
            <img src=${address} alt=${node.name} style=${box} hidden=${!isLoaded && node.image !== undefined} onLoad=${() => setLoaded(true)} onError=${() => setFailed(true)} width=${node.image?.width} height=${node.image?.height} />
        </button>
    `;
}

/** A document, in the browser's own viewer, from a copy in memory: what is on a drive never runs as a page of the server. @param {{ node: Node, address: string }} props */
function Document({ node, address }) {
    const [url, setUrl] = useState('');
    const [error, setError] = useState(/** @type {unknown} */ (null));
    useEffect(() => {
        const stop = new AbortController();
        let made = '';
        if (node.bytes > PDF_BYTES_MAX) {
            setError(t('drive.view.long'));
            return undefined;
        }
        const load = async () => {
            const answer = await api.send('GET', address, { signal: stop.signal, patienceMs: 120_000 });
            made = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: 'application/pdf' }));
            setUrl(made);
        };
        load().catch((reason) => !stop.signal.aborted && setError(reason));
        return () => {
            stop.abort();
            if (made) URL.revokeObjectURL(made);
        };
    }, [address]);
    if (error) return html`<p class="drive-viewer-soft">${typeof error === 'string' ? error : message(error)}</p>`;
    if (!url) return html`<${Spinner} label=${t('shell.loading')} />`;
    return html`<iframe class="drive-viewer-document" src=${url} title=${node.name}></iframe>`;
}

/** @param {{ node: Node, address: string }} props */
function Text({ node, address }) {
    const [text, setText] = useState(/** @type {string | null} */ (null));
    const [error, setError] = useState(/** @type {unknown} */ (null));
    const isCut = node.bytes > TEXT_BYTES_MAX;
    useEffect(() => {
        const stop = new AbortController();
        const load = async () => {
            const headers = isCut ? { range: `bytes=0-${TEXT_BYTES_MAX - 1}` } : undefined;
            const answer = await api.send('GET', address, { headers, signal: stop.signal });
            setText(await answer.text());
        };
        load().catch((reason) => !stop.signal.aborted && setError(reason));
        return () => stop.abort();
    }, [address]);
    if (error) return html`<p class="drive-viewer-soft">${message(error)}</p>`;
    if (text === null) return html`<${Spinner} label=${t('shell.loading')} />`;
    return html`
        <div class="drive-viewer-paper scroll" tabindex="0" role="document" aria-label=${node.name} autofocus>
            ${isCut && html`<p class="notice">${t('drive.view.cut', { size: size(TEXT_BYTES_MAX) })}</p>`}
            ${kindOf(node) === 'table' ? html`<${Table} text=${text} isTabs=${/\.tsv$/i.test(node.name)} />`
                : kindOf(node) === 'markdown' ? html`<div class="md is-document">${markdown(text, { isDocument: true })}</div>`
                : html`<pre class="drive-viewer-text">${text}</pre>`}
        </div>
    `;
}

/** @param {{ text: string, isTabs: boolean }} props */
function Table({ text, isTabs }) {
    const rows = cells(text, isTabs ? '\t' : text.split('\n', 1)[0].includes(';') && !text.split('\n', 1)[0].includes(',') ? ';' : ',').slice(0, ROWS_MAX);
    const [head, ...body] = rows;
    if (!head) return null;
    return html`<table class="drive-viewer-table"><thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
        <tbody>${body.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table>`;
}

/** The cells of a table in text (RFC 4180). @param {string} text @param {string} separator */
export function cells(text, separator) {
    /** @type {string[][]} */
    const rows = [[]];
    let cell = '';
    let isQuoted = false;
    for (let at = 0; at < text.length; at += 1) {
        const letter = text[at];
        const row = rows[rows.length - 1];
        if (isQuoted) {
            if (letter !== '"') cell += letter;
            else if (text[at + 1] === '"') {
                cell += '"';
                at += 1;
            } else isQuoted = false;
        } else if (letter === '"' && cell === '') isQuoted = true;
        else if (letter === separator) {
            row.push(cell);
            cell = '';
        } else if (letter === '\n') {
            row.push(cell.replace(/\r$/, ''));
            cell = '';
            rows.push([]);
        } else cell += letter;
    }
    if (cell !== '' || rows[rows.length - 1].length > 0) rows[rows.length - 1].push(cell);
    return rows.filter((row) => row.length > 0);
}
