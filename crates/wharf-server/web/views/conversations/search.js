// Searching on the server: a line of words, and controls that say the rest of what docs/guide/search.md lists.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { t } from '../../lang/index.js';
import { message as problemText } from '../../parts/problem.js';
import { me } from '../../session.js';
import { contacts, people, rooms } from '../../store/index.js';
import { membersOf } from './members.js';
import { personName, roomName } from './names.js';

/** @typedef {import('../../types').Hit} Hit */

/**
 * What the controls say; nothing where they are empty. The days are both within what is looked for.
 * @typedef {{ from: string, room: string, has: string, since: string, until: string }} Filters
 */

/** @type {Filters} */
export const NO_FILTERS = { from: '', room: '', has: '', since: '', until: '' };
const KINDS = ['file', 'image', 'film', 'sound', 'link', 'tag'];
const PAGE = 50;
const PAUSE_MS = 200;

/** @param {Filters} filters */
export const isFiltered = (filters) => Object.values(filters).some(Boolean);

/** The day after one. @param {string} day as 2026-11-21 */
export function dayAfter(day) {
    const next = new Date(`${day}T00:00Z`);
    next.setUTCDate(next.getUTCDate() + 1);
    return next.toISOString().slice(0, 10);
}

/** The line that the server is asked. @param {string} text @param {Filters} filters */
export function queryOf(text, { from, has, since, until }) {
    return [text.trim(), from && `from:${from}`, has && `has:${has}`, since && `after:${since}`, until && `before:${dayAfter(until)}`].filter(Boolean).join(' ');
}

/** How a person is called in a search so that nobody else is meant. @param {{ number: number }} person */
const numberOf = ({ number }) => String(number).padStart(6, '0');

/**
 * What a search finds, as somebody types; null while there is no answer. `version` asks again when it changes.
 * @param {string} text @param {Filters} filters @param {unknown} [version]
 */
export function useSearch(text, filters, version) {
    const [found, setFound] = useState(/** @type {{ items: Hit[] | null, next?: string, problem: string }} */ ({ items: null, problem: '' }));
    const q = queryOf(text, filters);
    const ask = (/** @type {string | undefined} */ after, /** @type {AbortSignal | undefined} */ signal) => api.get('/search', {
        q, room: filters.room || undefined, after, limit: PAGE, zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    }, signal);
    useEffect(() => {
        if (!q) {
            setFound({ items: null, problem: '' });
            return undefined;
        }
        const stop = new AbortController();
        const timer = setTimeout(() => {
            ask(undefined, stop.signal).then(
                ({ items, next }) => setFound({ items, next, problem: '' }),
                (error) => { if (!stop.signal.aborted) setFound({ items: [], problem: problemText(error) }); },
            );
        }, PAUSE_MS);
        return () => {
            clearTimeout(timer);
            stop.abort();
        };
    }, [q, filters.room, version]);
    const more = async () => {
        try {
            const { items, next } = await ask(found.next, undefined);
            setFound({ items: [...(found.items ?? []), ...items], next, problem: '' });
        } catch (error) {
            setFound({ ...found, problem: problemText(error) });
        }
    };
    return { ...found, more };
}

/** Who can be looked for: the members of a room, or everybody who is known. @param {string} room */
function choices(room) {
    const known = room ? membersOf(room).map(({ person }) => person) : [...new Map([
        ...[...contacts.value.values()].filter(({ state }) => state === 'contact').map(({ person }) => /** @type {const} */ ([person.id, person])),
        ...people.value,
    ]).values()];
    return known.filter(({ id }) => id !== me.value?.id).map((person) => ({ value: numberOf(person), label: personName(person.id) })).sort((a, b) => a.label.localeCompare(b.label));
}

/**
 * The controls. `without` leaves some out.
 * @param {{ filters: Filters, set: (filters: Filters) => void, room?: string, without?: (keyof Filters)[] }} props
 */
export function FilterFields({ filters, set, room = '', without = [] }) {
    const change = (/** @type {keyof Filters} */ name) => (/** @type {any} */ event) => set({ ...filters, [name]: event.currentTarget.value });
    const selects = /** @type {const} */ (['from', 'room', 'has']).filter((name) => !without.includes(name) && !(room && name === 'room'));
    const select = (/** @type {'from' | 'room' | 'has'} */ name, /** @type {string} */ any, /** @type {{ value: string, label: string }[]} */ options) => selects.includes(name) && html`
        <select class=${`input ${selects.length % 2 === 1 && selects.at(-1) === name ? 'is-wide' : ''}`} aria-label=${t(`conversations.filter.${name}`)} value=${filters[name]} onChange=${change(name)}>
            <option value="">${any}</option>${options.map(({ value, label }) => html`<option key=${value} value=${value}>${label}</option>`)}</select>`;
    const day = (/** @type {'since' | 'until'} */ name) => !without.includes(name) && html`
        <label class="filter-day"><span class="small soft">${t(`conversations.filter.${name}`)}</span><input class="input" type="date" value=${filters[name]} onInput=${change(name)} /></label>`;
    const named = [...rooms.value.values()].map((known) => ({ value: known.id, label: roomName(known) })).sort((a, b) => a.label.localeCompare(b.label));
    return html`
        <div class="filters" role="group" aria-label=${t('conversations.filter')}>
            ${select('from', t('conversations.files.anybody'), [{ value: 'me', label: t('conversations.you') }, ...choices(room)])}
            ${select('room', t('conversations.filter.room.any'), named)}
            ${select('has', t('conversations.filter.has.any'), KINDS.map((kind) => ({ value: kind, label: t(`conversations.filter.has.${kind}`) })))}
            ${day('since')}${day('until')}
            ${isFiltered(room ? { ...filters, room: '' } : filters) && html`<button type="button" class="button quiet is-wide" onClick=${() => set({ ...NO_FILTERS, room })}>${t('conversations.filter.clear')}</button>`}
        </div>
    `;
}

/** A text with the parts that were found. They are counted in bytes of UTF-8. @param {{ text: string, matches: [number, number][] }} props */
export function Marked({ text, matches }) {
    const bytes = new TextEncoder().encode(text);
    const decode = (/** @type {number} */ from, /** @type {number} */ to) => new TextDecoder().decode(bytes.subarray(from, to));
    const parts = [];
    let from = 0;
    for (const [start, end] of matches) {
        if (start < from || end > bytes.length) continue;
        parts.push(decode(from, start), html`<mark>${decode(start, end)}</mark>`);
        from = end;
    }
    return [...parts, decode(from, bytes.length)];
}
