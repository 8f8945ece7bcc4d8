// All there is to know of a node: its picture, its tags, and, of a file, its revisions, which can be opened, saved and brought back.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { date, dateAndTime, size, t, timeOfDay } from '../../lang/index.js';
import { Dialog, confirm, open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { me } from '../../session.js';
import { personName } from '../conversations/names.js';
import { screenAddress } from './address.js';
import { contentUrl, revert, tag } from './deeds.js';
import { kindOf } from './kinds.js';
import { timeOf } from './model.js';
import { Picture } from './row.js';

/** @typedef {import('../../types').Node} Node */
/** @typedef {import('../../types').Revision} Revision */

/** Who did something: the person's name, or that it was oneself. @param {string | undefined} account */
export const who = (account) => (account === me.value?.id ? t('drive.you') : account ? personName(account) : t('drive.server'));

/** @param {import('./model.js').Nodes} nodes @param {Node} node @param {{ isTrash?: boolean, canWrite?: boolean }} [options] */
export function showDetails(nodes, node, { isTrash = false, canWrite = false } = {}) {
    return open(({ close }) => html`<${Details} nodes=${nodes} first=${node} canWrite=${canWrite && !isTrash} close=${close} />`);
}

/** @param {{ nodes: import('./model.js').Nodes, first: Node, canWrite: boolean, close: () => void }} props */
function Details({ nodes, first, canWrite, close }) {
    const { room } = nodes;
    const [node, setNode] = useState(first);
    const again = async () => {
        setNode(await api.get(`/rooms/${room}/node`, { id: first.id }));
        await (nodes.path === null ? nodes.read() : nodes.follow());
    };
    const facts = [
        [t('drive.details.where'), node.path],
        [t('drive.by.kind'), t(`drive.kind.${kindOf(node)}`)],
        ...(node.kind === 'file' ? [[t('drive.by.size'), size(node.bytes)]] : []),
        ...(node.image ? [[t('drive.details.pixels'), `${node.image.width} × ${node.image.height}`]] : []),
        [t('drive.by.time'), dateAndTime(timeOf(node))],
        ...(node.trashed_ms ? [[t('drive.trashed'), dateAndTime(node.trashed_ms)]] : []),
    ];
    return html`
        <${Dialog} title=${node.name} close=${close} class="drive-details">
            ${node.image && html`<div class="drive-details-picture"><${Picture} room=${room} node=${node} size=${640} /></div>`}
            <dl class="drive-facts">${facts.map(([name, value]) => html`<div><dt class="soft">${name}</dt><dd>${value}</dd></div>`)}</dl>
            <${Tags} room=${room} node=${node} canWrite=${canWrite} again=${again} close=${close} />
            ${node.kind === 'file' && html`<${Revisions} room=${room} node=${node} canWrite=${canWrite} again=${again} />`}
        <//>
    `;
}

/** @param {{ room: string, node: Node, canWrite: boolean, again: () => Promise<void>, close: () => void }} props */
function Tags({ room, node, canWrite, again, close }) {
    const tags = node.tags ?? [];
    const submit = async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const form = /** @type {HTMLFormElement} */ (event.currentTarget);
        const name = String(new FormData(form).get('tag')).trim().replace(/^#/, '');
        if (!name) return;
        form.reset();
        await tag(room, node, { add: [name] });
        await again();
    };
    if (tags.length === 0 && !canWrite) return null;
    return html`
        <section class="drive-section">
            <h3>${t('drive.tags')}</h3>
            <div class="drive-tags">
                ${tags.map((name) => html`<span class="drive-tag is-large" key=${name}>
                    <a href=${screenAddress(room, 'find', { tag: name })} onClick=${() => close()}>${name}</a>
                    ${canWrite && html`<button type="button" class="drive-tag-off" aria-label=${t('drive.tag.remove', { tag: name })} onClick=${async () => { await tag(room, node, { remove: [name] }); await again(); }}><${Icon} name="close" /></button>`}
                </span>`)}
                ${canWrite && html`<form class="row" onSubmit=${submit}>
                    <label class="sr-only" for="drive-tag">${t('drive.tag.new')}</label>
                    <input class="input drive-tag-new" id="drive-tag" name="tag" maxlength="100" placeholder=${t('drive.tag.new')} autocomplete="off" />
                    <button class="icon-button" aria-label=${t('drive.tag.add')}><${Icon} name="plus" /></button>
                </form>`}
            </div>
        </section>
    `;
}

/** @param {{ room: string, node: Node, canWrite: boolean, again: () => Promise<void> }} props */
function Revisions({ room, node, canWrite, again }) {
    const [items, setItems] = useState(/** @type {Revision[] | null} */ (null));
    const [error, setError] = useState(/** @type {unknown} */ (null));
    useEffect(() => {
        const stop = new AbortController();
        api.get(`/rooms/${room}/revisions`, { id: node.id, limit: 100 }, stop.signal).then((page) => setItems(page.items), (reason) => !stop.signal.aborted && setError(reason));
        return () => stop.abort();
    }, [room, node.id, node.revision]);
    const bring = async (/** @type {Revision} */ item) => {
        if (!(await confirm({ title: t('drive.revert.ask'), text: t('drive.revert.text', { time: dateAndTime(item.at_ms) }), yes: t('drive.revert') }))) return;
        await revert(room, node, item.revision);
        await again();
    };
    return html`
        <section class="drive-section">
            <h3>${t('drive.revisions')}</h3>
            ${error ? html`<p class="wrong">${message(error)}</p>` : !items ? html`<${Spinner} label=${t('shell.loading')} />` : html`<ul class="drive-revisions">
                ${items.map((item) => html`<li key=${item.revision}>
                    <span class="grow"><time title=${dateAndTime(item.at_ms)}>${date(item.at_ms)}, ${timeOfDay(item.at_ms)}</time><span class="small soft">${who(item.account)} · ${size(item.bytes)}</span></span>
                    ${item.revision === node.revision ? html`<span class="badge muted">${t('drive.revision.now')}</span>` : canWrite && html`<button type="button" class="button quiet" onClick=${() => bring(item)}>${t('drive.revert')}</button>`}
                    <a class="icon-button" href=${contentUrl(room, node, item.revision)} download=${node.name} aria-label=${t('drive.revision.save', { time: dateAndTime(item.at_ms) })}><${Icon} name="download" /></a>
                </li>`)}
            </ul>`}
        </section>
    `;
}

