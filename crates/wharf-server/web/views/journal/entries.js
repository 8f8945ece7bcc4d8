// The entries of the journal, day after day, and the field to add one. Time goes downwards, as in conversations: the last entry is above the field.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { html, useEffect, useMemo, useRef, useState } from '../../html.js';
import { inWords, t, timeOfDay } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { attempt } from '../../parts/notice.js';
import { Spinner } from '../../parts/progress.js';
import { back, go } from '../../router.js';
import { isNarrow } from '../../shell/shell.js';
import { say, timeline, waitingIn, welcome } from '../../store/index.js';
import * as queue from '../../transfer/queue.js';
import { Composer } from '../conversations/composer.js';
import { NAMES, addressOf, addressOfEntry, choiceOf, isEverything } from './address.js';
import { canEdit } from './actions.js';
import { beginMs, isDay } from './days.js';
import { Diary } from './diary.js';
import { useFound } from './found.js';
import { doorName } from './origins.js';
import { takeOut } from './takeout.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('./address.js').Choice} Choice */

/** @param {{ room: Room, place: import('../../router.js').Place }} props */
export function Entries({ room, place }) {
    const [editing, setEditing] = useState(/** @type {Entry | null} */ (null));
    const [isOver, setOver] = useState(false);
    const composer = useRef(/** @type {any} */ (null));
    const end = useRef(() => {});
    const choice = choiceOf(place.query);
    const isAll = isEverything(choice);
    // What was just written is at the end of all entries, whatever was chosen.
    const done = () => {
        setEditing(null);
        if (!editing && !isAll) go(addressOf({}));
    };
    const entries = timeline(room.id);
    const editLast = () => {
        const last = [...entries.entries.values()].filter((entry) => canEdit(room, entry)).sort((a, b) => b.position - a.position)[0];
        if (last) setEditing(last);
    };
    const drag = (/** @type {DragEvent} */ event) => {
        if (!event.dataTransfer?.types.includes('Files') || !room.can_write) return;
        event.preventDefault();
        setOver(true);
    };
    const drop = (/** @type {DragEvent} */ event) => {
        event.preventDefault();
        setOver(false);
        composer.current?.offer([...(event.dataTransfer?.files ?? [])]);
    };
    const leave = (/** @type {DragEvent} */ event) => {
        if (!(/** @type {Element} */ (event.currentTarget).contains(/** @type {Node | null} */ (event.relatedTarget)))) setOver(false);
    };
    const at = Number(place.query.get('at')) || undefined;
    const day = place.query.get('day') ?? '';
    return html`
        <div class="journal" onDragOver=${drag} onDragLeave=${leave} onDrop=${drop}>
            <header class="head">
                ${isNarrow.value && html`<button type="button" class="icon-button" aria-label=${t('do.back')} onClick=${() => back('/journal')}><${Icon} name="back" /></button>`}
                <h2 class="one-line grow">${titleOf(choice)}</h2>
                <button type="button" class="icon-button" aria-label=${t('journal.takeout')} title=${t('journal.takeout')} onClick=${() => void takeOut(room, choice)}><${Icon} name="download" /></button>
            </header>
            ${!isAll && html`<${Chosen} choice=${choice} />`}
            ${isAll
                ? html`<${All} room=${room} at=${at} day=${isDay(day) ? day : ''} edit=${setEditing} end=${end} />`
                : html`<${Some} key=${JSON.stringify(choice)} room=${room} choice=${choice} edit=${setEditing} end=${end} />`}
            ${isOver && html`<div class="drop-target"><${Icon} name="upload" /><span>${t('journal.drop')}</span></div>`}
            <${Announcer} room=${room} />
            <${Composer} room=${room} reply=${null} editing=${editing} done=${done} resume=${(/** @type {unknown} */ _, /** @type {import('../../types').Entry | null} */ what) => setEditing(what)} editLast=${editLast} toEnd=${() => end.current()} handle=${composer} label=${t('journal.write')} />
        </div>
    `;
}

/** @param {Choice} choice */
function titleOf(choice) {
    if (isEverything(choice)) return t('journal.all');
    return choice.on ? t('journal.onthisday', { day: dayOfYear(choice.on) }) : t('journal.some');
}

/** 21 November. @param {string} on */
export const dayOfYear = (on) => inWords(beginMs(`2000-${on}`), { day: 'numeric', month: 'long' });

/** What restricts the entries, each to be taken away. @param {{ choice: Choice }} props */
function Chosen({ choice }) {
    const words = /** @type {Record<keyof Choice, (value: string) => string>} */ ({
        tag: (tag) => `#${tag}`,
        origin: doorName,
        on: (on) => t('journal.on', { day: dayOfYear(on) }),
        from: (day) => t('journal.from', { day: dayInWords(day) }),
        to: (day) => t('journal.to', { day: dayInWords(day) }),
    });
    return html`
        <ul class="journal-chosen" aria-label=${t('journal.chosen')}>
            ${NAMES.filter((name) => choice[name]).map((name) => {
                const text = words[name](choice[name]);
                return html`<li key=${name}><a class="journal-chip" href=${addressOf({ ...choice, [name]: '' })} aria-label=${t('journal.chosen.remove', { what: text })}><bdi class="one-line">${text}</bdi><${Icon} name="close" /></a></li>`;
            })}
        </ul>
    `;
}

/** @param {string} day */
const dayInWords = (day) => inWords(beginMs(day), { dateStyle: 'medium' });

/** Everything there is. @param {{ room: Room, at?: number, day: string, edit: (entry: Entry) => void, end: { current: () => void } }} props */
function All({ room, at, day, edit, end }) {
    const entries = timeline(room.id);
    const changed = entries.changed.value;
    const floor = entries.floor.value;
    const [goTo, setGoTo] = useState(/** @type {import('./diary.js').Goal | null} */ (null));
    const positions = useMemo(() => {
        const found = [];
        for (let position = floor + 1; position <= room.head; position += 1) {
            const entry = entries.entries.get(position);
            if (!entry || fold.isSaid(entry)) found.push(position);
        }
        return found;
    }, [room.head, floor, changed]);
    const waiting = waitingIn(room.id);
    const going = queue.uploads.value.filter((upload) => upload.saying && upload.room === room.id);
    useEffect(() => {
        if (at) setGoTo({ position: at, where: 'center', isMarked: true });
    }, [at]);
    useEffect(() => {
        if (!day) return undefined;
        let isWanted = true;
        void attempt(async () => {
            const page = await api.get(`/rooms/${room.id}/log`, { at_ms: beginMs(day), limit: 1 });
            if (isWanted) setGoTo({ position: page.items[0]?.position ?? room.head, where: 'start', isMarked: false });
        });
        return () => {
            isWanted = false;
        };
    }, [day]);
    useEffect(() => () => entries.trim(room.head), [room.id]);
    const need = (/** @type {number} */ from, /** @type {number} */ to) => entries.need(from, to);
    const atEnd = () => {
        if (room.unread > 0 && document.visibilityState === 'visible' && entries.entries.has(room.head)) say({ type: 'read', room: room.id, position: room.head });
    };
    if (positions.length + waiting.length + going.length === 0) return html`<div class="empty"><p>${t('journal.empty')}</p></div>`;
    return html`<${Diary} room=${room} positions=${positions} waiting=${waiting} going=${going} need=${need} atEnd=${atEnd} goTo=${goTo} edit=${edit} end=${end} />`;
}

/** Those that were chosen. @param {{ room: Room, choice: Choice, edit: (entry: Entry) => void, end: { current: () => void } }} props */
function Some({ room, choice, edit, end }) {
    const { positions, isBusy, problem, hasLooked, isWhole, more, retry } = useFound(room, choice);
    const status = !hasLooked ? '' : t('journal.found', { n: positions.length });
    return html`
        <div class="sr-only" role="status">${status}</div>
        ${problem && html`<div class="notice bad journal-problem"><span class="grow" role="alert">${problem}</span><button type="button" class="button" onClick=${retry}>${t('do.retry')}</button></div>`}
        ${positions.length > 0
            ? html`<${Diary} room=${room} positions=${positions} waiting=${[]} going=${[]} need=${(/** @type {number} */ from) => { if (from === positions[0]) more(); }}
                isWhole=${isWhole} showsYears=${choice.on !== ''} edit=${edit} end=${end} show=${(/** @type {number} */ position) => go(addressOfEntry(position))} />`
            : html`<div class="empty">${isBusy ? html`<${Spinner} label=${t('shell.loading')} />` : isWhole ? html`<p>${t('journal.none')}</p>`
                : !problem && html`<button type="button" class="button" onClick=${more}>${t('journal.further')}</button>`}</div>`}
    `;
}

/** Says to a screen reader what comes from elsewhere while the journal is open. @param {{ room: Room }} props */
function Announcer({ room }) {
    const last = useRef(room.head);
    const [text, setText] = useState('');
    const entries = timeline(room.id);
    useEffect(() => {
        const said = [];
        for (let position = last.current + 1; position <= room.head; position += 1) {
            const entry = entries.entries.get(position);
            if (entry && fold.isSaid(entry) && entry.origin.session !== welcome.value?.session) said.push(`${timeOfDay(entry.at_ms)}, ${fold.textOf(entry)}`);
        }
        last.current = room.head;
        if (said.length > 0) setText(said.slice(-3).join('. '));
    }, [room.head]);
    return html`<div class="sr-only" aria-live="polite" aria-atomic="true" data-announcer>${text}</div>`;
}
