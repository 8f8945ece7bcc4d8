// The panel's list of files that were handed over in a room, and that of links.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { html, useEffect, useRef, useState } from '../../html.js';
import { date, size, t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { safeAddress } from '../../parts/markdown-inline.js';
import { message as problemText } from '../../parts/problem.js';
import { me } from '../../session.js';
import { Card, addressOf, kindOf, pictureOf, view } from './attachment.js';
import { membersOf } from './members.js';
import { authorName, personName } from './names.js';
import { FilterFields, NO_FILTERS, dayAfter, useSearch } from './search.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').Entry} Entry */

const PAGE = 100;
/** So many are looked for before somebody is asked whether to look on. */
const SHOWN_MIN = 30;
/** What was said a moment ago is found after this. */
const INDEXED_MS = 1500;
/** The size of an image in the list. */
const THUMB_BOX = { width: 110, height: 110 };

/** The beginning of a day here. @param {string} day */
const beginMs = (day) => new Date(`${day}T00:00`).getTime();

/**
 * The entries of a room that hand over files, page after page, from the last day that is wanted back to the first.
 * @param {Room} room @param {{ since: string, until: string, name: string, fits: (entry: Entry) => boolean }} wanted `name` changes with what `fits`
 */
function useFiles(room, { since, until, name, fits }) {
    const [state, setState] = useState(/** @type {{ items: Entry[], isWhole: boolean, problem: string }} */ ({ items: [], isWhole: false, problem: '' }));
    const asked = useRef(0);
    const load = async (/** @type {Entry[]} */ held, /** @type {number} */ wantedCount) => {
        const turn = ++asked.current;
        let items = held;
        try {
            let before = held.at(-1)?.position;
            if (before === undefined && until) {
                const page = await api.get(`/rooms/${room.id}/log`, { at_ms: beginMs(dayAfter(until)), limit: 1 });
                before = page.items[0]?.position;
            }
            for (let isWhole = false; !isWhole;) {
                const page = await api.get(`/rooms/${room.id}/files`, { before, limit: PAGE });
                const found = page.items.slice().sort((/** @type {Entry} */ a, /** @type {Entry} */ b) => b.position - a.position);
                const within = since ? found.filter((/** @type {Entry} */ { at_ms }) => at_ms >= beginMs(since)) : found;
                items = [...items, ...within];
                before = found.at(-1)?.position;
                isWhole = found.length < PAGE || within.length < found.length;
                if (turn !== asked.current) return;
                setState({ items, isWhole, problem: '' });
                if (items.filter(fits).length >= wantedCount) return;
            }
        } catch (error) {
            if (turn === asked.current) setState((before) => ({ ...before, problem: problemText(error) }));
        }
    };
    useEffect(() => void load([], SHOWN_MIN), [room.id, room.head, since, until, name]);
    const more = () => load(state.items, state.items.filter(fits).length + SHOWN_MIN);
    return { ...state, more };
}

/** A small picture of an image. @param {{ room: string, file: import('../../types').File }} props */
function Thumb({ room, file }) {
    const [hasThumbnail, setThumbnail] = useState(true);
    // What has no thumbnail after all is shown as it is.
    return html`<img src=${hasThumbnail ? pictureOf(room, file, THUMB_BOX) : addressOf(room, file)} alt="" loading="lazy" onError=${() => setThumbnail(false)} />`;
}

/** @param {{ room: Room, show: (position: number) => void }} props */
export function Files({ room, show }) {
    const [kind, setKind] = useState('all');
    const [sender, setSender] = useState('');
    const [since, setSince] = useState('');
    const [until, setUntil] = useState('');
    const fits = (/** @type {Entry} */ { account, body }) => {
        if (body?.kind !== 'file' || (sender && account !== sender)) return false;
        const isSeen = ['image', 'film'].includes(kindOf(body.name));
        return kind === 'all' || (kind === 'image') === isSeen;
    };
    const { items, isWhole, problem, more } = useFiles(room, { since, until, name: `${kind} ${sender}`, fits });
    const senders = [...new Set([...membersOf(room.id).map(({ person }) => person.id), ...items.map((entry) => entry.account).filter((account) => account !== undefined)])];
    const shown = items.filter(fits);
    const total = shown.reduce((sum, { body }) => sum + (body?.kind === 'file' ? body.bytes : 0), 0);
    const day = (/** @type {'since' | 'until'} */ name, /** @type {string} */ value, /** @type {(value: string) => void} */ set) => html`
        <label class="filter-day"><span class="small soft">${t(`conversations.filter.${name}`)}</span><input class="input" type="date" value=${value} onInput=${(/** @type {any} */ event) => set(event.currentTarget.value)} /></label>`;
    return html`
        <div class="filters" role="group" aria-label=${t('conversations.filter')}>
            <select class="input" aria-label=${t('conversations.files.kind')} value=${kind} onChange=${(/** @type {any} */ event) => setKind(event.currentTarget.value)}>
                ${['all', 'image', 'other'].map((name) => html`<option value=${name}>${t(`conversations.files.${name}`)}</option>`)}</select>
            <select class="input" aria-label=${t('conversations.files.sender')} value=${sender} onChange=${(/** @type {any} */ event) => setSender(event.currentTarget.value)}>
                <option value="">${t('conversations.files.anybody')}</option>${senders.map((account) => html`<option value=${account}>${account === me.value?.id ? t('conversations.you') : personName(account)}</option>`)}</select>
            ${day('since', since, setSince)}${day('until', until, setUntil)}
        </div>
        ${problem && html`<p class="notice bad">${problem}</p>`}
        ${shown.length === 0 && isWhole && html`<p class="soft panel-empty">${t('conversations.files.none')}</p>`}
        ${kind === 'image'
            ? html`<div class="thumbs">${shown.map((entry) => entry.body?.kind === 'file' && html`<button type="button" key=${entry.position} aria-label=${entry.body.name} onClick=${() => view(room, shown.slice().reverse(), entry.position)}>
                ${kindOf(entry.body.name) === 'image' ? html`<${Thumb} room=${room.id} file=${entry.body} />` : html`<${Icon} name="play" />`}</button>`)}</div>`
            : html`<ul>${shown.map((entry) => entry.body?.kind === 'file' && html`<li key=${entry.position} class="panel-file"><${Card} room=${room.id} file=${entry.body} />
                <button type="button" class="panel-where small soft" onClick=${() => show(entry.position)}><bdi>${authorName(entry)}</bdi>, ${date(entry.at_ms)}</button></li>`)}</ul>`}
        ${shown.length > 0 && html`<p class="soft small panel-empty">${t('conversations.files.total', { n: shown.length, size: size(total) })}</p>`}
        ${!isWhole && items.length > 0 && html`<button type="button" class="button" onClick=${() => void more()}>${t('do.more')}</button>`}
    `;
}

/** The addresses in a text, each once. @param {string} text */
export function linksIn(text) {
    const found = [...text.matchAll(/\bhttps?:\/\/[^\s<>]*[^\s<>.,:;!?'")\]}*_~`]/gi)].map(([address]) => address);
    return [...new Set(found)].filter((address) => safeAddress(address) !== null && URL.canParse(address));
}

/** @param {{ room: Room, show: (position: number) => void }} props */
export function LinkList({ room, show }) {
    const [filters, setFilters] = useState({ ...NO_FILTERS, room: room.id });
    const [version, setVersion] = useState(0);
    useEffect(() => {
        const timer = setTimeout(() => setVersion((held) => held + 1), INDEXED_MS);
        return () => clearTimeout(timer);
    }, [room.head]);
    const { items, next, problem, more } = useSearch('', { ...filters, has: 'link' }, version);
    const rows = (items ?? []).flatMap(({ what }) => (what.item === 'entry' ? linksIn(fold.textOf(what) ?? '').map((address) => ({ entry: what, address })) : []));
    return html`
        <${FilterFields} filters=${filters} set=${setFilters} room=${room.id} without=${['has']} />
        ${problem && html`<p class="notice bad">${problem}</p>`}
        ${items && rows.length === 0 && !problem && html`<p class="soft panel-empty">${t('conversations.links.none')}</p>`}
        <ul>${rows.map(({ entry, address }) => html`<li key=${`${entry.position} ${address}`} class="panel-file">
            <a class="panel-link" href=${address} target="_blank" rel="noopener noreferrer nofollow"><${Icon} name="link" /><span class="grow"><bdi class="one-line">${new URL(address).host}</bdi><bdi class="one-line small soft">${address}</bdi></span></a>
            <button type="button" class="panel-where small soft" onClick=${() => show(entry.position)}><bdi>${authorName(entry)}</bdi>, ${date(entry.at_ms)}</button></li>`)}</ul>
        ${next && html`<button type="button" class="button" onClick=${() => void more()}>${t('do.more')}</button>`}
    `;
}
