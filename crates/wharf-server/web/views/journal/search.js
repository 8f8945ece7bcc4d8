// What a search finds in the journal, as somebody types: in the place of the calendar, and leading to where it was written.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { date, t, timeOfDay } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { VirtualList } from '../../parts/virtual.js';
import { to } from '../../router.js';
import { Marked } from '../conversations/search.js';
import { addressOfEntry } from './address.js';
import { zone } from './days.js';

/** @typedef {import('../../types').Hit} Hit */

const PAGE = 50;
const TYPING_MS = 200;

/** @param {{ room: import('../../types').Room, text: string }} props */
export function Hits({ room, text }) {
    const [items, setItems] = useState(/** @type {Hit[] | null} */ (null));
    const [next, setNext] = useState(/** @type {string | undefined} */ (undefined));
    const [problem, setProblem] = useState('');
    const look = async (/** @type {Hit[]} */ before, /** @type {string | undefined} */ after, /** @type {AbortSignal} */ signal) => {
        try {
            const found = /** @type {import('../../types').Found} */ (await api.get('/search', { q: text, room: room.id, limit: PAGE, after, zone: zone() }, signal));
            setItems([...before, ...found.items]);
            setNext(found.next);
            setProblem('');
        } catch (error) {
            if (!signal.aborted) setProblem(message(error));
        }
    };
    useEffect(() => {
        const stop = new AbortController();
        const timer = setTimeout(() => void look([], undefined, stop.signal), TYPING_MS);
        return () => {
            clearTimeout(timer);
            stop.abort();
        };
    }, [text]);
    const count = (items?.length ?? 0) + (next ? 1 : 0);
    return html`
        <div class="sr-only" role="status">${items ? t('journal.found', { n: items.length }) : ''}</div>
        ${problem ? html`<p class="notice bad journal-problem" role="alert">${problem}</p>` : !items && html`<div class="empty"><${Spinner} label=${t('shell.loading')} /></div>`}
        ${items?.length === 0 && !next && html`<p class="soft journal-nothing">${t('journal.none')}</p>`}
        <${VirtualList} class="journal-hits" role="list" aria-label=${t('journal.hits')} count=${count} guess=${72}
            keyOf=${(/** @type {number} */ index) => (items && index < items.length ? keyOf(items[index]) : 'more')}
            render=${(/** @type {number} */ index) => (items && index < items.length
                ? html`<div role="listitem"><${HitRow} hit=${items[index]} /></div>`
                : html`<div role="listitem"><button type="button" class="button" onClick=${() => void look(items ?? [], next, new AbortController().signal)}>${t('journal.further')}</button></div>`)} />
    `;
}

/** @param {Hit} hit */
const keyOf = ({ what }) => (what.item === 'entry' ? what.position : what.id);

/** @param {{ hit: Hit }} props */
function HitRow({ hit: { what, room, snippet, matches } }) {
    const ms = what.item === 'entry' ? what.at_ms : what.changed_ms;
    return html`
        <a class="found inset-focus" href=${what.item === 'entry' ? addressOfEntry(what.position) : to('drive', room)}>
            <time class="soft small">${date(ms)}, ${timeOfDay(ms)}</time>
            <span class="found-text">${what.item === 'node' && html`<${Icon} name="file" class="room-sign" />`}<bdi><${Marked} text=${snippet} matches=${matches} /></bdi></span>
        </a>
    `;
}
