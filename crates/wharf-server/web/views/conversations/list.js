// The recent conversations: pinned ones first, then by their last message; above them what waits for an answer. The search box looks through
// rooms and people at once, and through messages and files on the server.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { effect, html, useMemo, useRef, useState } from '../../html.js';
import { shortTime, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { Icon } from '../../parts/icon.js';
import { openMenu } from '../../parts/menu.js';
import { hasReadings } from '../../parts/pinyin.js';
import { attempt } from '../../parts/notice.js';
import { VirtualList } from '../../parts/virtual.js';
import { go, to } from '../../router.js';
import { me } from '../../session.js';
import { contacts, invitations, presence, rooms, typing, watch } from '../../store/index.js';
import { drafts } from '../../store/drafts.js';
import { addContact } from '../contacts/dialogs.js';
import { newGroup } from './dialogs.js';
import { authorName, personName, roomFits, roomName, roomPicture } from './names.js';
import { roomMenu } from './room-menu.js';
import { FilterFields, Marked, NO_FILTERS, isFiltered, useSearch } from './search.js';

/** @typedef {import('../../types').Room} Room */

/** When something was last said in a room. @param {Room} room */
const lastMs = (room) => room.last?.at_ms ?? room.joined_ms;

/** The rooms in the order of the list. */
export function orderedRooms() {
    return [...rooms.value.values()]
        .filter((room) => !room.preferences.is_hidden)
        .sort((a, b) => Number(b.preferences.is_pinned ?? false) - Number(a.preferences.is_pinned ?? false) || lastMs(b) - lastMs(a));
}

// Whose presence is shown: contacts, the most recent conversations first.
effect(() => {
    const peers = orderedRooms().flatMap((room) => (room.peer ? [room.peer.id] : []));
    const others = [...contacts.value.values()].filter((contact) => contact.state === 'contact').map((contact) => contact.person.id);
    watch([...new Set([...peers, ...others])].slice(0, 1000));
});

/** @param {{ place: import('../../router.js').Place }} props */
export function List({ place }) {
    const [text, setText] = useState('');
    const [filters, setFilters] = useState(NO_FILTERS);
    const [hasFilters, showFilters] = useState(false);
    const wanted = text.trim().toLocaleLowerCase();
    const all = rooms.value;
    const known = contacts.value;
    const shown = useMemo(() => (wanted
        ? [...all.values()].filter((room) => roomFits(room, wanted)).sort((a, b) => lastMs(b) - lastMs(a))
        : orderedRooms()), [all, wanted, known, hasReadings()]);
    const open = place.path.slice(1, 3);
    const asked = [...invitations.value.values()];
    const handle = useRef(null);
    const isSearching = wanted !== '' || isFiltered(filters);
    const toggleFilters = () => {
        if (hasFilters) setFilters(NO_FILTERS);
        showFilters(!hasFilters);
    };
    const add = (/** @type {any} */ event) => openMenu(event.currentTarget, [
        { label: t('conversations.group.new'), icon: 'group', run: () => void newGroup() },
        { label: t('contacts.add'), icon: 'contacts', run: () => void addContact() },
    ]);
    return html`
        <div class="head">
            <label class="search-box grow"><${Icon} name="search" /><span class="sr-only">${t('do.search')}</span>
                <input type="search" placeholder=${t('do.search')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
                    onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.isComposing) return; if (event.key === 'Enter' && shown[0]) { setText(''); go(to('c', shown[0].id)); } else if (event.key === 'Escape') setText(''); }} />
            </label>
            <button type="button" class="icon-button" aria-label=${t('conversations.filter')} aria-expanded=${String(hasFilters)} aria-controls="list-filters" onClick=${toggleFilters}><${Icon} name="filter" /></button>
            <button type="button" class="icon-button" aria-label=${t('conversations.add')} aria-haspopup="menu" aria-expanded="false" onClick=${add}><${Icon} name="plus" /></button>
        </div>
        <div id="list-filters" class="list-filters" hidden=${!hasFilters}>${hasFilters && html`<${FilterFields} filters=${filters} set=${setFilters} />`}</div>
        ${!isSearching && asked.length > 0 && html`<ul class="invitations">${asked.map((invitation) => html`<${Invitation} key=${invitation.room} invitation=${invitation} />`)}</ul>`}
        ${shown.length === 0 && !isSearching && html`<div class="list-empty soft">${t('conversations.empty')}<button type="button" class="button" onClick=${() => void addContact()}>${t('contacts.add')}</button></div>`}
        ${(wanted || !isSearching) && html`<${VirtualList} class=${`rooms ${wanted ? 'is-short' : ''}`} count=${shown.length} guess=${66} handle=${handle} role="list" aria-label=${t('view.conversations')}
            keyOf=${(/** @type {number} */ index) => shown[index].id}
            render=${(/** @type {number} */ index) => html`<${Row} room=${shown[index]} isOpen=${open.includes(shown[index].id)} index=${index} count=${shown.length} />`} />`}
        ${isSearching && html`<${Hits} text=${text.trim()} filters=${filters} />`}
    `;
}

/** @param {{ invitation: import('../../types').RoomInvitation }} props */
function Invitation({ invitation }) {
    const answer = (/** @type {string} */ word) => attempt(async () => {
        await api.post(`/room-invitations/${invitation.room}/${word}`);
        if (word === 'accept') go(to('c', invitation.room));
    });
    return html`<li class="invitation">
        <${Avatar} id=${invitation.room} name=${invitation.name} isRoom />
        <div class="grow"><div class="one-line room-name"><bdi>${invitation.name}</bdi></div><div class="small soft">${t('conversations.invitation', { who: personName(invitation.by.id), n: invitation.member_count })}</div>
            <div class="row"><button type="button" class="button primary" onClick=${() => void answer('accept')}>${t('contacts.accept')}</button><button type="button" class="button" onClick=${() => void answer('decline')}>${t('contacts.decline')}</button></div></div>
    </li>`;
}

/** @param {{ room: Room, isOpen: boolean, index: number, count: number }} props */
function Row({ room, isOpen, index, count }) {
    const name = roomName(room);
    const { notify, is_pinned: isPinned, is_marked: isMarked } = room.preferences;
    const isQuiet = notify === 'nothing' || (notify === 'mentions' && room.mentions === 0);
    const status = room.kind === 'direct' ? presence.value.get(room.peer?.id ?? '')?.status : undefined;
    const typists = [...(typing.value.get(room.id)?.keys() ?? [])].filter((account) => account !== me.value?.id);
    const draft = isOpen ? '' : (drafts.value[room.id] ?? room.preferences.draft ?? '');
    const menu = (/** @type {MouseEvent} */ event) => {
        event.preventDefault();
        roomMenu({ x: event.clientX, y: event.clientY }, room);
    };
    const key = (/** @type {KeyboardEvent} */ event) => {
        if (event.key !== 'ContextMenu' && !(event.key === 'F10' && event.shiftKey)) return;
        event.preventDefault();
        roomMenu(/** @type {Element} */ (event.currentTarget), room);
    };
    return html`
        <div role="listitem" aria-setsize=${count} aria-posinset=${index + 1}>
            <a class="room-row inset-focus" href=${to('c', room.id)} aria-current=${isOpen ? 'page' : undefined} onContextMenu=${menu} onKeyDown=${key}>
                <${Avatar} id=${roomPicture(room)} name=${name} isRoom=${room.kind !== 'direct'} status=${status} />
                <span class="grow">
                    <span class="row"><span class="room-name one-line grow"><bdi>${name}</bdi></span>
                        ${notify === 'nothing' && html`<${Icon} name="bellOff" class="room-sign" />`}
                        ${room.last && html`<time class="room-time">${shortTime(lastMs(room))}</time>`}</span>
                    <span class="row"><span class="room-preview one-line grow">
                            ${typists.length > 0 ? html`<span class="is-typing">${t('conversations.typing', { name: typists.map(personName).join(', ') })}</span>`
                                : draft ? html`<span class="is-draft">${t('conversations.draft')}</span> <bdi>${draft}</bdi>`
                                : html`<bdi>${preview(room)}</bdi>`}</span>
                        ${room.mentions > 0 && html`<span class="badge" role="img" aria-label=${t('conversations.mentioned')}>@</span>`}
                        ${room.unread > 0 || isMarked
                            ? html`<span class=${`badge ${isQuiet ? 'muted' : ''}`} role="img" aria-label=${t('conversations.unread', { n: room.unread })}>${room.unread > 99 ? '99+' : room.unread || ''}</span>`
                            : isPinned && html`<${Icon} name="pin" class="room-sign" />`}</span>
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
    const who = (isOwn && room.kind !== 'personal') || room.kind === 'group' ? `${authorName(last)}: ` : '';
    const text = fold.textOf(last) ?? '';
    if (last.body?.kind === 'file') return `${who}${last.body.name}${text && ` – ${text}`}`;
    return who + text.replace(/\s+/g, ' ').slice(0, 200);
}

/** What a search on the server finds, as somebody types. @param {{ text: string, filters: import('./search.js').Filters }} props */
function Hits({ text, filters }) {
    const { items, next, problem, more } = useSearch(text, filters);
    return html`
        <div class="hits scroll" tabindex="0" role="region" aria-label=${t('conversations.hits')}>
            <h2 class="hits-title soft small">${t('conversations.hits')}</h2>
            <div class="sr-only" role="status">${items ? t('conversations.search.found', { n: items.length }) : ''}</div>
            ${problem && html`<p class="notice bad">${problem}</p>`}
            ${items?.length === 0 && !problem && html`<p class="soft panel-empty">${t('conversations.search.none')}</p>`}
            <ul>${(items ?? []).map((hit) => {
                const room = rooms.value.get(hit.room);
                const { what } = hit;
                const address = what.item === 'entry' ? `${to('c', hit.room)}?at=${what.position}` : to('drive', hit.room);
                return html`<li><a class="found inset-focus" href=${address}>
                    <span class="row"><span class="grow one-line quote-author"><bdi>${room ? roomName(room) : ''}${what.item === 'entry' ? ` · ${authorName(what)}` : ''}</bdi></span>
                        <time class="soft small">${shortTime(what.item === 'entry' ? what.at_ms : what.changed_ms)}</time></span>
                    <span class="found-text">${what.item === 'node' && html`<${Icon} name="file" class="room-sign" />`}<bdi><${Marked} text=${hit.snippet} matches=${hit.matches} /></bdi></span></a></li>`;
            })}</ul>
            ${next && html`<button type="button" class="button" onClick=${() => void more()}>${t('do.more')}</button>`}
        </div>
    `;
}
