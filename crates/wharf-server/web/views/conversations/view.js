// The conversations: the list of recent ones, and the one that is open.

import { html, useEffect, useRef, useState } from '../../html.js';
import { dateAndTime, isSameDay, day, t, timeOfDay } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { Icon } from '../../parts/icon.js';
import { attempt } from '../../parts/notice.js';
import { VirtualList } from '../../parts/virtual.js';
import { back } from '../../router.js';
import { me } from '../../session.js';
import { isNarrow } from '../../shell/shell.js';
import { outbox, rooms, say, send, timeline } from '../../store/index.js';
import * as fold from '../../fold.js';
import { authorName, roomName, roomPicture } from './names.js';

export { List } from './list.js';

/** @param {{ place: import('../../router.js').Place }} props */
export function Main({ place }) {
    const room = rooms.value.get(place.path[1] ?? '');
    if (!room) return html`<div class="empty">${t('shell.empty')}</div>`;
    return html`<${Room} key=${room.id} room=${room} />`;
}

/** @param {{ room: import('../../types').Room }} props */
function Room({ room }) {
    const entries = timeline(room.id);
    entries.changed.value;
    const waiting = outbox.value.filter((item) => item.room === room.id);
    const floor = entries.floor.value;
    const count = room.head - floor + waiting.length;
    const handle = useRef(/** @type {any} */ (null));
    const seen = (/** @type {number} */ first, /** @type {number} */ last) => {
        entries.need(floor + first - 30, floor + last + 30);
        if (document.visibilityState === 'visible' && last + 1 >= room.head - floor && room.read < room.head) say({ type: 'read', room: room.id, position: room.head });
    };
    useEffect(() => entries.need(room.head - 50, room.head), [room.head]);
    return html`
        <header class="head">
            ${isNarrow.value && html`<button type="button" class="icon-button" aria-label=${t('do.back')} onClick=${() => back('/c')}><${Icon} name="back" /></button>`}
            <${Avatar} id=${roomPicture(room)} name=${roomName(room)} isRoom=${room.kind !== 'direct'} />
            <h2 class="room-title one-line grow">${roomName(room)}</h2>
        </header>
        <${VirtualList} class="log" count=${count} guess=${64} sticksToEnd handle=${handle} onSeen=${seen}
            role="log" aria-live="off" aria-label=${t('conversations.messages')} tabindex="0"
            keyOf=${(/** @type {number} */ index) => (index < room.head - floor ? floor + index + 1 : `out ${waiting[index - room.head + floor].id}`)}
            render=${(/** @type {number} */ index) => {
                const position = floor + index + 1;
                if (position > room.head) return html`<${Waiting} item=${waiting[position - room.head - 1]} />`;
                return html`<${Message} entry=${entries.entries.get(position)} before=${entries.entries.get(position - 1)} />`;
            }} />
        <${Composer} room=${room} />
    `;
}

/** @param {{ entry?: import('../../types').Entry, before?: import('../../types').Entry }} props */
function Message({ entry, before }) {
    if (!entry) return html`<div class="message-blank"></div>`;
    const isRecalled = entry.state?.recalled !== undefined;
    if (!fold.isSaid(entry) && !isRecalled) return null;
    const isOwn = entry.account === me.value?.id;
    return html`
        ${(!before || !isSameDay(before.at_ms, entry.at_ms)) && html`<div class="day"><span>${day(entry.at_ms)}</span></div>`}
        <article class=${`message ${isOwn ? 'is-own' : ''}`}>
            <div class="bubble">
                ${!isOwn && html`<div class="author">${authorName(entry)}</div>`}
                ${isRecalled ? html`<em class="soft">${t('conversations.recalled')}</em>` : html`<div class="text">${fold.textOf(entry)}</div>`}
                <time class="stamp" title=${dateAndTime(entry.at_ms)}>${timeOfDay(entry.at_ms)}</time>
            </div>
        </article>
    `;
}

/** @param {{ item: import('../../store/outbox.js').Item }} props */
function Waiting({ item }) {
    const { draft } = item;
    return html`<article class="message is-own is-waiting"><div class="bubble"><div class="text">${'text' in draft ? draft.text : ''}</div><${Icon} name=${item.state === 'refused' ? 'error' : 'clock'} class="stamp" /></div></article>`;
}

/** @param {{ room: import('../../types').Room }} props */
function Composer({ room }) {
    const [text, setText] = useState('');
    const submit = () => {
        if (!text.trim()) return;
        void attempt(() => send(room.id, { kind: 'text', text: text.trim() }));
        setText('');
    };
    const key = (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
        event.preventDefault();
        submit();
    };
    return html`
        <form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); submit(); }}>
            <textarea class="input" rows="1" aria-label=${t('conversations.write')} placeholder=${t('conversations.write')} value=${text} onKeyDown=${key}
                onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}></textarea>
            <button class="icon-button" aria-label=${t('conversations.send')} disabled=${!text.trim()}><${Icon} name="send" /></button>
        </form>
    `;
}
