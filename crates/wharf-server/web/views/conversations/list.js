// The recent conversations: pinned ones first, then by their last message.

import { html, useMemo, useRef, useState } from '../../html.js';
import { shortTime, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { Icon } from '../../parts/icon.js';
import { VirtualList } from '../../parts/virtual.js';
import { to } from '../../router.js';
import { me } from '../../session.js';
import { presence, rooms } from '../../store/index.js';
import * as fold from '../../fold.js';
import { authorName, roomName, roomPicture } from './names.js';

/** @typedef {import('../../types').Room} Room */

/** When something was last said in a room. @param {Room} room */
const lastMs = (room) => room.last?.at_ms ?? room.joined_ms;

/** @param {{ place: import('../../router.js').Place }} props */
export function List({ place }) {
    const [text, setText] = useState('');
    const wanted = text.trim().toLocaleLowerCase();
    const all = rooms.value;
    const shown = useMemo(() => [...all.values()]
        .filter((room) => !room.preferences.is_hidden || wanted)
        .filter((room) => roomName(room).toLocaleLowerCase().includes(wanted))
        .sort((a, b) => Number(b.preferences.is_pinned ?? false) - Number(a.preferences.is_pinned ?? false) || lastMs(b) - lastMs(a)), [all, wanted]);
    const open = place.path[1];
    const handle = useRef(null);
    return html`
        <div class="head">
            <label class="search-box grow"><${Icon} name="search" /><span class="sr-only">${t('do.search')}</span>
                <input type="search" placeholder=${t('do.search')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} />
            </label>
        </div>
        <${VirtualList} class="rooms" count=${shown.length} guess=${68} handle=${handle} role="list" aria-label=${t('view.conversations')}
            keyOf=${(/** @type {number} */ index) => shown[index].id}
            render=${(/** @type {number} */ index) => html`<${Row} room=${shown[index]} isOpen=${shown[index].id === open} index=${index} count=${shown.length} />`} />
    `;
}

/** @param {{ room: Room, isOpen: boolean, index: number, count: number }} props */
function Row({ room, isOpen, index, count }) {
    const name = roomName(room);
    const isMuted = room.preferences.notify === 'nothing';
    const status = room.kind === 'direct' ? (presence.value.get(room.peer?.id ?? '')?.status ?? undefined) : undefined;
    return html`
        <div role="listitem" aria-setsize=${count} aria-posinset=${index + 1}>
            <a class="room-row inset-focus" href=${to('c', room.id)} aria-current=${isOpen ? 'page' : undefined}>
                <${Avatar} id=${roomPicture(room)} name=${name} isRoom=${room.kind !== 'direct'} status=${status} />
                <span class="grow">
                    <span class="row"><span class="room-name one-line grow">${name}</span>
                        ${isMuted && html`<${Icon} name="bellOff" class="room-sign" />`}
                        <time class="room-time">${shortTime(lastMs(room))}</time></span>
                    <span class="row"><span class="room-preview one-line grow">${preview(room)}</span>
                        ${room.mentions > 0 && html`<span class="badge" aria-label=${t('conversations.mentioned')}>@</span>`}
                        ${room.unread > 0 && html`<span class=${`badge ${isMuted ? 'muted' : ''}`} aria-label=${t('conversations.unread', { n: room.unread })}>${room.unread > 99 ? '99+' : room.unread}</span>`}
                        ${room.preferences.is_pinned && room.unread === 0 && html`<${Icon} name="pin" class="room-sign" />`}</span>
                </span>
            </a>
        </div>
    `;
}

/** What was said last, in one line. @param {Room} room */
function preview(room) {
    const { last } = room;
    if (!last) return room.topic || t('conversations.nothing');
    if (last.state?.recalled !== undefined) return t('conversations.recalled');
    const isOwn = last.account === me.value?.id;
    const who = isOwn || room.kind === 'group' ? `${authorName(last)}: ` : '';
    const text = fold.textOf(last) ?? '';
    if (last.body?.kind === 'file') return `${who}${last.body.name}${text && ` – ${text}`}`;
    return who + text.replace(/\s+/g, ' ');
}
