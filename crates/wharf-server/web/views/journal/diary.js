// Entries one after another with a heading for each day: a list of which only what can be seen is in the document.

import { html, useEffect, useRef, useState } from '../../html.js';
import { day, isSameDay, t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { attempt } from '../../parts/notice.js';
import { VirtualList } from '../../parts/virtual.js';
import * as outboxStore from '../../store/outbox.js';
import { timeline } from '../../store/index.js';
import { kindOf, view } from '../conversations/attachment.js';
import { Waiting } from '../conversations/message.js';
import { Going } from '../conversations/room.js';
import * as actions from './actions.js';
import { EntryRow } from './entry.js';
import { dayOf } from './days.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').Entry} Entry */

/** Rows before and after those that can be seen that are had in time. */
const AHEAD = 20;
const MARKED_MS = 2500;

/**
 * @typedef {object} Goal where the list is to go; another object is another wish
 * @property {number} position of an entry; where it has no row, the next one's
 * @property {'start' | 'center'} where
 * @property {boolean} isMarked
 */

/**
 * @param {{
 *   room: Room, positions: number[], waiting: import('../../store/outbox.js').Item[], going: import('../../transfer/queue.js').Shown[],
 *   need: (from: number, to: number) => void, atEnd?: () => void, goTo?: Goal | null, isWhole?: boolean, showsYears?: boolean,
 *   edit: (entry: Entry) => void, end: { current: () => void }, show?: (position: number) => void,
 * }} props `show` goes to an entry among all, where these are some; `isWhole` says that the first row is the first there is; `end` becomes what goes to the last one
 */
export function Diary({ room, positions, waiting, going, need, atEnd, goTo, isWhole = true, showsYears = false, edit, end, show }) {
    const entries = timeline(room.id);
    const [marked, setMarked] = useState(0);
    const [isAtEnd, setAtEnd] = useState(true);
    const handle = useRef(/** @type {import('../../parts/virtual.js').Handle | null} */ (null));
    const area = useRef(/** @type {HTMLElement | null} */ (null));
    const shown = useRef(positions);
    shown.current = positions;
    const count = positions.length + going.length + waiting.length;

    useEffect(() => {
        if (!goTo) return undefined;
        let isWanted = true;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        let timer;
        setMarked(0);
        void (async () => {
            await entries.fetch(goTo.position - AHEAD, goTo.position + 2 * AHEAD);
            // The rows that have come are drawn first: what turns out to be none moves those after it.
            await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            const index = shown.current.findIndex((position) => position >= goTo.position);
            if (!isWanted) return;
            handle.current?.scrollTo(index < 0 ? shown.current.length - 1 : index, goTo.where);
            if (!goTo.isMarked) return;
            setMarked(goTo.position);
            // From when it is there: on a slow line it is late.
            timer = setTimeout(() => setMarked(0), MARKED_MS);
        })();
        return () => {
            isWanted = false;
            clearTimeout(timer);
        };
    }, [goTo]);

    const seen = (/** @type {number} */ first, /** @type {number} */ last) => {
        const from = positions[Math.max(0, first - AHEAD)];
        const to = positions[Math.min(positions.length - 1, last + AHEAD)];
        if (from !== undefined && to !== undefined) need(from, to);
        setAtEnd(last >= count - 1);
        if (last >= count - 1) atEnd?.();
    };
    const toEnd = () => {
        need(positions[Math.max(0, positions.length - AHEAD)] ?? 0, positions.at(-1) ?? 0);
        handle.current?.toEnd();
    };
    end.current = toEnd;
    /** @type {import('./actions.js').Act} */
    const act = {
        edit,
        show,
        menu: (where, entry) => actions.menu(where, room, entry, act),
        view: (entry) => {
            const all = positions.map((position) => entries.entries.get(position)).filter((held) => held?.body?.kind === 'file' && ['image', 'film'].includes(kindOf(held.body.name)));
            view(room, /** @type {Entry[]} */ (all), entry.position);
        },
    };
    const rowOf = (/** @type {number} */ index) => {
        if (index < positions.length) return row(index);
        const upload = going[index - positions.length];
        if (upload) return html`<${Going} upload=${upload} />`;
        const item = waiting[index - positions.length - going.length];
        return item && html`<${Waiting} item=${item} retry=${() => void attempt(() => outboxStore.retry(item))} drop=${() => void attempt(() => outboxStore.drop(item))} />`;
    };
    const isKnown = isWhole && positions.every((position) => entries.entries.has(position));
    const row = (/** @type {number} */ index) => {
        const entry = entries.entries.get(positions[index]);
        if (!entry) return html`<div class="journal-blank" aria-hidden="true"><span></span></div>`;
        const before = index > 0 ? entries.entries.get(positions[index - 1]) : undefined;
        const isNewDay = index === 0 || (before !== undefined && !isSameDay(before.at_ms, entry.at_ms));
        return html`
            ${isNewDay && html`<${DayHeading} ms=${entry.at_ms} showsYears=${showsYears} />`}
            <${EntryRow} room=${room} entry=${entry} isMarked=${marked === entry.position} act=${act} index=${isKnown ? index : undefined} count=${isKnown ? positions.length : -1} />
        `;
    };
    const keys = (/** @type {KeyboardEvent} */ event) => {
        if (event.ctrlKey || event.altKey || event.metaKey || event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement) return;
        const focused = document.activeElement?.closest?.('article');
        const all = /** @type {HTMLElement[]} */ ([...(area.current?.querySelectorAll('article') ?? [])]);
        const at = focused instanceof HTMLElement ? all.indexOf(focused) : all.length;
        const move = { ArrowUp: at - 1, ArrowDown: at + 1 }[event.key];
        if (move !== undefined) {
            all[move]?.focus();
            all[move]?.scrollIntoView({ block: 'nearest' });
        } else if (event.key === 'Home') handle.current?.scrollTo(0, 'start');
        else if (event.key === 'End') handle.current?.toEnd();
        else if ((event.key === 'Enter' || event.key === 'ContextMenu') && focused && document.activeElement === focused) {
            const entry = entries.entries.get(Number(/** @type {HTMLElement} */ (focused).dataset.position));
            if (!entry) return;
            actions.menu(focused, room, entry, act);
        } else return;
        event.preventDefault();
    };
    return html`
        <div class="log-area" ref=${area} onKeyDown=${keys}>
            <${VirtualList} class="journal-log" count=${count} guess=${90} sticksToEnd handle=${handle} onSeen=${seen}
                role="log" aria-live="off" aria-label=${t('journal.entries')} tabindex="0"
                keyOf=${(/** @type {number} */ index) => (index < positions.length ? positions[index] : index < positions.length + going.length ? going[index - positions.length].id : `out ${waiting[index - positions.length - going.length]?.id}`)}
                render=${rowOf} />
            ${!isAtEnd && html`<button type="button" class="to-end" onClick=${toEnd}>
                <${Icon} name="chevron" /><span class="sr-only">${t('journal.toend')}</span></button>`}
        </div>
    `;
}

/** @param {{ ms: number, showsYears: boolean }} props */
function DayHeading({ ms, showsYears }) {
    const years = new Date().getFullYear() - new Date(ms).getFullYear();
    return html`<h3 class="journal-day"><time datetime=${dayOf(ms)}>${day(ms)}</time>${showsYears && years > 0 && html` <span class="soft">${t('journal.yearsago', { n: years })}</span>`}</h3>`;
}
