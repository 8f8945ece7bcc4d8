// A conversation: its head, the log, and the field to write in.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../../html.js';
import { day, isSameDay, shortTime, size, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { Icon } from '../../parts/icon.js';
import { lazily } from '../../parts/lazy.js';
import { attempt, fail } from '../../parts/notice.js';
import { message as problemText } from '../../parts/problem.js';
import { Progress } from '../../parts/progress.js';
import { VirtualList } from '../../parts/virtual.js';
import { back } from '../../router.js';
import { me } from '../../session.js';
import { isNarrow } from '../../shell/shell.js';
import { connection, connections, presence, say, timeline, typing, waitingIn } from '../../store/index.js';
import * as outboxStore from '../../store/outbox.js';
import * as queue from '../../transfer/queue.js';
import * as actions from './actions.js';
import { view } from './attachment.js';
import { kindOf } from './attachment.js';
import { Composer } from './composer.js';
import { loadMembers } from './members.js';
import { Event, Message, Waiting, continues, labelOf } from './message.js';
import { personName, roomName, roomPicture } from './names.js';
import { ChosenBar } from './chosen.js';
import { roomMenu } from './room-menu.js';

/** @typedef {import('../../types').Room} RoomState */
/** @typedef {import('../../types').Entry} Entry */

const Panel = lazily(async () => (await import('./panel.js')).Panel);

/** How long what was gone to is marked. */
const MARKED_MS = 2500;

/** Whether an entry has a row of its own. @param {Entry} entry */
const isShown = (entry) => fold.isSaid(entry) || entry.state?.recalled !== undefined || entry.body?.kind === 'member' || entry.body?.kind === 'settings';

/** Whether a message can be selected. @param {Entry | undefined} entry */
const isChoosable = (entry) => entry !== undefined && fold.isSaid(entry) && entry.state?.recalled === undefined;

/** @param {{ room: RoomState, goTo?: number, place: import('../../router.js').Place, close?: () => void, control: (control: { search: () => void | false, toFirstUnread: () => void }) => void }} props
 * `goTo` is gone to with each new place; `control` gets what keys can tell the room */
export function Room({ room, goTo, place, close, control }) {
    const entries = timeline(room.id);
    const changed = entries.changed.value;
    const floor = entries.floor.value;
    const [reply, setReply] = useState(/** @type {Entry | null} */ (null));
    const [editing, setEditing] = useState(/** @type {Entry | null} */ (null));
    const [marked, setMarked] = useState(0);
    const [panel, setPanel] = useState(/** @type {string | null} */ (null));
    const [isOver, setOver] = useState(false);
    const [isAtEnd, setAtEnd] = useState(true);
    const [chosen, setChosen] = useState(/** @type {ReadonlySet<number> | null} */ (null));
    const lastChosen = useRef(0);
    const isChoosing = chosen !== null;
    const wasChoosing = useRef(false);
    // Where the unread ones began when the room was opened.
    const [unreadFrom] = useState(() => (room.unread > 0 ? room.read + 1 : Infinity));
    const handle = useRef(/** @type {import('../../parts/virtual.js').Handle | null} */ (null));
    const composer = useRef(/** @type {any} */ (null));
    const saidRead = useRef(0);
    const log = useRef(/** @type {HTMLElement | null} */ (null));

    // With the change itself: a frame later it would take the focus from somebody who has gone on.
    useLayoutEffect(() => {
        // What began it may be gone now: a menu's button. From the message the arrows go on.
        if (isChoosing) /** @type {HTMLElement | null} */ (log.current?.querySelector(`[data-position="${lastChosen.current}"]`))?.focus();
        else if (wasChoosing.current) composer.current?.focus();
        wasChoosing.current = isChoosing;
    }, [isChoosing]);
    useEffect(() => void loadMembers(room.id).catch(() => {}), [room.id, room.member_count]);

    const positions = useMemo(() => {
        const found = [];
        for (let position = floor + 1; position <= room.head; position += 1) {
            const entry = entries.entries.get(position);
            if (!entry || isShown(entry)) found.push(position);
        }
        return found;
    }, [room.head, floor, changed]);
    const waiting = waitingIn(room.id);
    const going = queue.uploads.value.filter((upload) => upload.saying && upload.room === room.id);
    const count = positions.length + going.length + waiting.length;

    const seen = (/** @type {number} */ first, /** @type {number} */ last) => {
        const from = positions[Math.max(0, first - 20)];
        const to = positions[Math.min(positions.length - 1, last + 20)];
        if (from !== undefined && to !== undefined) entries.need(from, to);
        setAtEnd(last >= count - 1);
        read(Math.min(last, positions.length - 1));
    };
    const read = (/** @type {number} */ index) => {
        // What has not come yet was not seen, wherever its row is.
        if (!isSettled || !entries.entries.has(positions[index] ?? 0)) return;
        let position = positions[index] ?? 0;
        // What has no row and follows is read with it.
        if (index === positions.length - 1) position = room.head;
        if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
        if (position <= room.read || position <= saidRead.current) return;
        saidRead.current = position;
        say({ type: 'read', room: room.id, position });
    };
    useEffect(() => {
        const look = () => {
            const rows = handle.current?.seen();
            if (rows) read(Math.min(rows.last, positions.length - 1));
        };
        addEventListener('focus', look);
        document.addEventListener('visibilitychange', look);
        look();
        return () => {
            removeEventListener('focus', look);
            document.removeEventListener('visibilitychange', look);
        };
    }, [positions]);
    useEffect(() => {
        // What was said without a connection was not heard.
        saidRead.current = 0;
        // And what was asked for did not come.
        const rows = handle.current?.seen();
        if (connection.peek() === 'live' && rows) seen(rows.first, rows.last);
    }, [connections.value]);
    useEffect(() => () => entries.trim(room.head), [room.id]);

    const show = (/** @type {number} */ position) => {
        const index = positions.findIndex((held) => held >= position);
        if (index < 0) return;
        handle.current?.scrollTo(index, 'center');
        setMarked(position);
        // Long enough to be seen, from when it is there: on a slow line it is late.
        void entries.fetch(position - 30, position + 30).then(() => setTimeout(() => setMarked((held) => (held === position ? 0 : held)), MARKED_MS));
    };
    useEffect(() => {
        if (goTo) setTimeout(() => show(goTo), 50);
    }, [goTo, place]);

    control({
        // From the field of the search itself, the keys are the browser's.
        search: () => {
            const field = /** @type {HTMLElement | null} */ (document.querySelector('.panel input[type=search]'));
            if (field && field === document.activeElement) return false;
            if (panel === 'search') field?.focus();
            setPanel('search');
            return undefined;
        },
        toFirstUnread: () => show(Number.isFinite(unreadFrom) ? unreadFrom : room.read + 1),
    });

    /** @type {import('./actions.js').Act} */
    const act = {
        reply: (entry) => { setEditing(null); setReply(entry); },
        edit: (entry) => { setReply(null); setEditing(entry); },
        show,
        react: (at, entry) => actions.react(at, room, entry),
        toggle: (entry, emoji, isSet) => actions.toggle(room, entry, emoji, isSet),
        menu: (where, entry) => actions.menu(where, room, entry, act),
        history: (entry) => actions.history(room, entry),
        view: (entry) => {
            const all = [...entries.entries.values()].filter(({ body }) => body?.kind === 'file' && ['image', 'film'].includes(kindOf(body.name))).sort((a, b) => a.position - b.position);
            view(room, all, entry.position);
        },
        chosen,
        choose: (entry, isRange = false) => {
            const next = new Set(chosen);
            if (isRange && chosen) {
                const [from, to] = [lastChosen.current, entry.position].sort((a, b) => a - b);
                for (const position of positions) if (position >= from && position <= to && isChoosable(entries.entries.get(position))) next.add(position);
            } else if (!next.delete(entry.position)) {
                next.add(entry.position);
            }
            lastChosen.current = entry.position;
            setChosen(next);
        },
    };
    const endChoosing = () => setChosen(null);
    const toEnd = () => {
        entries.need(room.head - 50, room.head);
        handle.current?.toEnd();
    };
    const editLast = () => {
        const last = positions.findLast((position) => {
            const entry = entries.entries.get(position);
            return entry !== undefined && actions.canEdit(room, entry);
        });
        const entry = last === undefined ? undefined : entries.entries.get(last);
        if (entry) setEditing(entry);
    };

    const rowOf = (/** @type {number} */ index) => {
        if (index < positions.length) return row(index);
        const upload = going[index - positions.length];
        if (upload) return html`<${Going} upload=${upload} />`;
        const item = waiting[index - positions.length - going.length];
        return item && html`<${Waiting} item=${item} retry=${() => void attempt(() => outboxStore.retry(item))} drop=${() => void attempt(() => outboxStore.drop(item))} />`;
    };
    const row = (/** @type {number} */ index) => {
        const position = positions[index];
        const entry = entries.entries.get(position);
        if (!entry) return html`<div class="message-blank" aria-hidden="true"><span></span></div>`;
        const before = index > 0 ? entries.entries.get(positions[index - 1]) : undefined;
        const isFirstUnread = position >= unreadFrom && (index === 0 || positions[index - 1] < unreadFrom);
        const isNewDay = index === 0 || (before !== undefined && !isSameDay(before.at_ms, entry.at_ms));
        const replyTo = entry.body && 'reply_to' in entry.body ? entry.body.reply_to : undefined;
        const target = replyTo === undefined || replyTo === null ? undefined : entries.entries.get(replyTo);
        if (replyTo && !target) queueMicrotask(() => entries.need(replyTo, replyTo));
        return html`
            ${isNewDay && html`<div class="day"><button type="button" onClick=${() => void goToDay(room, show)} aria-label=${`${day(entry.at_ms)}: ${t('conversations.jump')}`}>${day(entry.at_ms)}</button></div>`}
            ${isFirstUnread && html`<div class="unread-line" role="separator"><span>${t('conversations.newfrom')}</span></div>`}
            ${fold.isSaid(entry) || entry.state?.recalled !== undefined
                ? html`<${Message} room=${room} entry=${entry} isFirst=${isNewDay || isFirstUnread || !continues(before, entry)} reply=${target} isMarked=${marked === position} act=${act} />`
                : html`<${Event} entry=${entry} />`}
        `;
    };

    const keys = (/** @type {KeyboardEvent} */ event) => {
        if (event.target instanceof HTMLTextAreaElement || event.ctrlKey || event.altKey || event.metaKey) return;
        const focused = document.activeElement?.closest?.('.message');
        const all = /** @type {HTMLElement[]} */ ([...(log.current?.querySelectorAll('.message') ?? [])]);
        const at = focused instanceof HTMLElement ? all.indexOf(focused) : all.length;
        const move = { ArrowUp: at - 1, ArrowDown: at + 1 }[event.key];
        if (move !== undefined) {
            if (all[move]) {
                all[move].focus();
                all[move].scrollIntoView({ block: 'nearest' });
            }
            event.preventDefault();
        } else if (event.key === 'Home' || event.key === 'End') {
            if (event.key === 'Home') handle.current?.scrollTo(0, 'start');
            else handle.current?.toEnd();
            event.preventDefault();
        } else if ((event.key === 'Enter' || event.key === 'ContextMenu') && focused && document.activeElement === focused) {
            const entry = entries.entries.get(Number(/** @type {HTMLElement} */ (focused).dataset.position));
            if (entry) actions.menu(focused, room, entry, act);
            event.preventDefault();
        } else if (event.key === ' ' && focused && document.activeElement === focused) {
            const entry = entries.entries.get(Number(/** @type {HTMLElement} */ (focused).dataset.position));
            if (entry && isChoosable(entry)) act.choose(entry, event.shiftKey);
            event.preventDefault();
        } else if (event.key === 'Escape' && chosen) {
            endChoosing();
            event.preventDefault();
        }
    };
    const drop = (/** @type {DragEvent} */ event) => {
        event.preventDefault();
        setOver(false);
        composer.current?.offer([...(event.dataTransfer?.files ?? [])]);
    };
    const drag = (/** @type {DragEvent} */ event) => {
        if (!event.dataTransfer?.types.includes('Files') || !room.can_write) return;
        event.preventDefault();
        setOver(true);
    };
    const start = unreadFrom <= room.head ? { index: positions.findIndex((position) => position >= unreadFrom), where: /** @type {const} */ ('center') } : undefined;
    const isSettled = !start || positions.slice(Math.max(0, start.index - 8), start.index + 8).every((position) => entries.entries.has(position));
    return html`
        <section class="conversation" aria-label=${roomName(room)} onDragOver=${drag} onDragLeave=${(/** @type {DragEvent} */ event) => { if (!(/** @type {Element} */ (event.currentTarget).contains(/** @type {Node | null} */ (event.relatedTarget)))) setOver(false); }} onDrop=${drop}>
            <${Head} room=${room} panel=${panel} setPanel=${setPanel} close=${close} goToDay=${() => void goToDay(room, show)} />
            <div class="log-area" ref=${log} onKeyDown=${keys}>
                <${VirtualList} class="log" count=${count} guess=${58} sticksToEnd start=${start} isSettled=${isSettled} handle=${handle} onSeen=${seen}
                    role="log" aria-live="off" aria-label=${t('conversations.messages')} tabindex="0"
                    keyOf=${(/** @type {number} */ index) => (index < positions.length ? positions[index] : index < positions.length + going.length ? going[index - positions.length].id : `out ${waiting[index - positions.length - going.length]?.id}`)}
                    render=${rowOf} />
                ${!isAtEnd && html`<button type="button" class="to-end" onClick=${toEnd}>
                    <${Icon} name="chevron" />${room.unread > 0 ? t('conversations.new', { n: room.unread }) : html`<span class="sr-only">${t('conversations.toend')}</span>`}</button>`}
                ${isOver && html`<div class="drop-target"><${Icon} name="upload" /><span>${t('conversations.drop', { name: roomName(room) })}</span></div>`}
            </div>
            <${Announcer} room=${room} />
            <${TypingLine} room=${room} />
            ${chosen && html`<${ChosenBar} room=${room} all=${[...chosen].sort((a, b) => a - b).map((position) => entries.entries.get(position)).filter(isChoosable)} close=${endChoosing} />`}
            <${Composer} isHidden=${isChoosing} room=${room} reply=${reply} editing=${editing} done=${() => { setReply(null); setEditing(null); }} resume=${(/** @type {Entry | null} */ to, /** @type {Entry | null} */ what) => { setReply(to); setEditing(what); }} editLast=${editLast} toEnd=${toEnd} handle=${composer} />
        </section>
        ${panel && html`<${Panel} room=${room} tab=${panel} setTab=${setPanel} show=${(/** @type {number} */ position) => { if (isNarrow.value) setPanel(null); show(position); }} close=${() => setPanel(null)} />`}
    `;
}

/** Asks for a day and goes to the first message of it. @param {RoomState} room @param {(position: number) => void} show */
async function goToDay(room, show) {
    const { chooseDay } = await import('./dialogs.js');
    const ms = await chooseDay();
    if (ms === undefined) return;
    await attempt(async () => {
        const page = await api.get(`/rooms/${room.id}/log`, { at_ms: ms, limit: 1 });
        show(page.items[0]?.position ?? room.head);
    });
}

/** @param {{ room: RoomState, panel: string | null, setPanel: (tab: string | null) => void, close?: () => void, goToDay: () => void }} props */
function Head({ room, panel, setPanel, close, goToDay }) {
    const status = room.kind === 'direct' ? presence.value.get(room.peer?.id ?? '') : undefined;
    const line = room.kind === 'group' ? t('conversations.members', { n: room.member_count })
        : room.kind === 'personal' ? t('conversations.own.hint')
        : !status ? (room.peer?.status_text ?? '')
        : status.status !== 'offline' ? t(`conversations.status.${status.status}`)
        : status.seen_ms ? t('conversations.seen', { time: shortTime(status.seen_ms) }) : t('conversations.status.offline');
    return html`
        <header class="head">
            ${isNarrow.value && html`<button type="button" class="icon-button" aria-label=${t('do.back')} onClick=${() => back('/c')}><${Icon} name="back" /></button>`}
            <${Avatar} id=${roomPicture(room)} name=${roomName(room)} isRoom=${room.kind !== 'direct'} status=${status?.status} />
            <span class="grow"><h2 class="room-title one-line"><bdi>${roomName(room)}</bdi></h2><span class="room-line one-line soft small">${line}</span></span>
            <button type="button" class="icon-button" aria-label=${t('conversations.panel')} aria-pressed=${String(panel !== null)} onClick=${() => setPanel(panel ? null : 'about')}><${Icon} name="info" /></button>
            <button type="button" class="icon-button" aria-label=${t('conversations.menu')} aria-haspopup="menu" aria-expanded="false" onClick=${(/** @type {any} */ event) => roomMenu(event.currentTarget, room, { goToDay, setPanel })}><${Icon} name="more" /></button>
            ${close && html`<button type="button" class="icon-button" aria-label=${t('do.close')} onClick=${close}><${Icon} name="close" /></button>`}
        </header>
    `;
}

/** @param {{ room: RoomState }} props */
function TypingLine({ room }) {
    const names = [...(typing.value.get(room.id)?.keys() ?? [])].filter((account) => account !== me.value?.id).map(personName);
    return html`<div class="typing-line small soft">${names.length === 0 ? '' : names.length === 1 ? t('conversations.typing', { name: names[0] }) : t('conversations.typing.many', { n: names.length })}</div>`;
}

/** Says to a screen reader what others say while the room is open; never what was there before. @param {{ room: RoomState }} props */
function Announcer({ room }) {
    const last = useRef(room.head);
    const [text, setText] = useState('');
    const entries = timeline(room.id);
    useEffect(() => {
        const said = [];
        for (let position = last.current + 1; position <= room.head; position += 1) {
            const entry = entries.entries.get(position);
            if (entry && fold.isSaid(entry) && entry.account !== me.value?.id) said.push(labelOf(room, entry));
        }
        last.current = room.head;
        if (said.length > 0) setText(said.slice(-3).join('. '));
    }, [room.head]);
    return html`<div class="sr-only" aria-live="polite" aria-atomic="true" data-announcer>${text}</div>`;
}

/** A file on its way up. @param {{ upload: queue.Shown }} props */
export function Going({ upload }) {
    const chooser = useRef(/** @type {HTMLInputElement | null} */ (null));
    const choose = (/** @type {any} */ event) => {
        const [file] = event.currentTarget.files;
        event.currentTarget.value = '';
        if (file && !queue.give(upload.id, file)) fail(t('conversations.upload.other', { name }));
    };
    const name = queue.nameOf(upload);
    const { state } = upload;
    const line = state === 'failed' ? problemText(upload.error)
        : state === 'absent' ? t('conversations.upload.choose')
        : state === 'paused' ? t('conversations.upload.paused')
        : `${size(upload.doneBytes)} / ${size(upload.bytes)}`;
    return html`
        <article class="message is-own is-first" tabindex="-1" aria-label=${`${name}, ${line}`}>
            <div class="bubble has-file">
                <div class="file-card">
                    <span class="file-sign"><${Icon} name="upload" /></span>
                    <span class="grow"><bdi class="file-name">${name}</bdi><span class=${`small ${state === 'failed' ? 'wrong' : 'soft'}`}>${line}</span></span>
                    ${state === 'absent' ? html`<input type="file" hidden ref=${chooser} onChange=${choose} /><button type="button" class="button" onClick=${() => chooser.current?.click()}>${t('conversations.upload.rechoose')}</button>`
                        : state === 'paused' || state === 'failed'
                            ? html`<button type="button" class="icon-button" aria-label=${t('conversations.upload.resume')} onClick=${() => void attempt(() => queue.resume(upload.id))}><${Icon} name="play" /></button>`
                            : html`<button type="button" class="icon-button" aria-label=${t('conversations.upload.pause')} onClick=${() => void attempt(() => queue.pause(upload.id))}><${Icon} name="pause" /></button>`}
                    <button type="button" class="icon-button" aria-label=${t('conversations.upload.cancel', { name })} onClick=${() => void attempt(() => queue.cancel(upload.id))}><${Icon} name="close" /></button>
                </div>
                <${Progress} value=${upload.doneBytes} max=${upload.bytes} label=${name} />
                ${upload.saying?.text && html`<div class="text">${upload.saying.text}</div>`}
            </div>
        </article>
    `;
}
