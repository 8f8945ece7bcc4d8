// The column at the right of a conversation: about the room and its members, its files and links, what is pinned, a search.

import * as api from '../../api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../html.js';
import { shortTime, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { confirm } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { openMenu } from '../../parts/menu.js';
import { attempt } from '../../parts/notice.js';
import { to } from '../../router.js';
import { me } from '../../session.js';
import { presence } from '../../store/index.js';
import { Links, invite } from './dialogs.js';
import { loadMembers, membersOf } from './members.js';
import { preview } from './message.js';
import { authorName, personName, roomName, roomPicture } from './names.js';
import { Files, LinkList } from './panel-files.js';
import { FilterFields, Marked, NO_FILTERS, useSearch } from './search.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').Entry} Entry */

const TABS = ['about', 'files', 'links', 'pins', 'search'];

/** @param {{ room: Room, tab: string, setTab: (tab: string) => void, show: (position: number) => void, close: () => void }} props */
export function Panel({ room, tab, setTab, show, close }) {
    const key = (/** @type {KeyboardEvent} */ event) => {
        const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!move) return;
        const next = TABS[(TABS.indexOf(tab) + move + TABS.length) % TABS.length];
        setTab(next);
        document.getElementById(`tab-${next}`)?.focus();
    };
    return html`
        <aside class="panel" aria-label=${t('conversations.panel')} tabindex="-1" data-landmark onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') close(); }}>
            <header class="head"><div class="tabs grow" role="tablist" aria-label=${t('conversations.panel')} onKeyDown=${key}>
                ${TABS.map((name) => html`<button type="button" role="tab" id=${`tab-${name}`} aria-selected=${String(tab === name)} aria-controls="panel-body" tabindex=${tab === name ? 0 : -1} onClick=${() => setTab(name)}>${t(`conversations.tab.${name}`)}</button>`)}
            </div><button type="button" class="icon-button" aria-label=${t('do.close')} onClick=${close}><${Icon} name="close" /></button></header>
            <div class="panel-body scroll" id="panel-body" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">
                ${tab === 'about' ? html`<${About} room=${room} />`
                    : tab === 'files' ? html`<${Files} room=${room} show=${show} />`
                    : tab === 'links' ? html`<${LinkList} room=${room} show=${show} />`
                    : tab === 'pins' ? html`<${Pins} room=${room} show=${show} />`
                    : html`<${Search} room=${room} show=${show} />`}
            </div>
        </aside>
    `;
}

/** @param {{ room: Room }} props */
function About({ room }) {
    const members = membersOf(room.id).filter((member) => member.role);
    const isOwner = room.role === 'owner' && room.kind === 'group';
    const menu = (/** @type {Element} */ at, /** @type {import('../../types').RoomMember} */ member) => {
        const { person } = member;
        const set = (/** @type {string} */ role) => attempt(async () => { await api.patch(`/rooms/${room.id}/members/${person.id}`, { role }); await loadMembers(room.id); });
        openMenu(at, [
            ...['editor', 'reader'].map((role) => ({ label: t(`conversations.role.${role}`), isChecked: member.role === role, run: () => void set(role) })),
            { label: t('conversations.handover'), icon: 'shield', run: async () => { if (await confirm({ title: t('conversations.handover.ask', { name: personName(person.id) }), yes: t('conversations.handover'), isDanger: true })) await set('owner'); } },
            { label: t('conversations.remove'), icon: 'trash', isDanger: true, run: async () => {
                if (await confirm({ title: t('conversations.remove.ask', { name: personName(person.id) }), yes: t('conversations.remove'), isDanger: true })) await attempt(() => api.remove(`/rooms/${room.id}/members/${person.id}`));
            } },
        ], { label: personName(person.id) });
    };
    return html`
        <div class="panel-about"><${Avatar} id=${roomPicture(room)} name=${roomName(room)} isRoom=${room.kind !== 'direct'} size="large" />
            <h3><bdi>${roomName(room)}</bdi></h3>
            ${room.kind === 'direct' && room.peer && html`<p class="soft small">@${room.peer.username} · ${String(room.peer.number).padStart(6, '0')}</p>`}
            ${(room.topic || room.peer?.status_text) && html`<p>${room.topic || room.peer?.status_text}</p>`}</div>
        ${room.kind !== 'personal' && html`<section><div class="row"><h3 class="grow">${t('conversations.members', { n: room.member_count })}</h3>
            ${room.kind === 'group' && room.role !== 'reader' && html`<button type="button" class="icon-button" aria-label=${t('conversations.invite')} onClick=${() => void invite(room)}><${Icon} name="plus" /></button>`}</div>
            <ul>${members.map((member) => html`
                <li class="row panel-row"><${Avatar} id=${member.person.id} name=${personName(member.person.id)} size="small" status=${presence.value.get(member.person.id)?.status} />
                    <span class="grow one-line"><bdi>${personName(member.person.id)}</bdi> <span class="soft small">@${member.person.username}</span></span>
                    <span class="soft small">${t(`conversations.role.${member.role}`)}</span>
                    ${isOwner && member.person.id !== me.value?.id && html`<button type="button" class="icon-button" aria-haspopup="menu" aria-expanded="false" aria-label=${t('conversations.member.menu', { name: personName(member.person.id) })} onClick=${(/** @type {any} */ event) => menu(event.currentTarget, member)}><${Icon} name="more" /></button>`}
                </li>`)}</ul></section>`}
        ${isOwner && html`<${Links} room=${room} />`}
    `;
}

/** @param {{ entry: Entry, show: (position: number) => void, text?: any }} props */
function Found({ entry, show, text }) {
    return html`<li><button type="button" class="found inset-focus" onClick=${() => show(entry.position)}>
        <span class="row"><span class="grow one-line quote-author"><bdi>${authorName(entry)}</bdi></span><time class="soft small">${shortTime(entry.at_ms)}</time></span>
        <span class="found-text"><bdi>${text ?? preview(entry)}</bdi></span></button></li>`;
}

/** @param {{ room: Room, show: (position: number) => void }} props */
function Pins({ room, show }) {
    const [items, setItems] = useState(/** @type {Entry[] | null} */ (null));
    useEffect(() => {
        const stop = new AbortController();
        api.get(`/rooms/${room.id}/pins`, undefined, stop.signal).then((page) => setItems(page.items), () => !stop.signal.aborted && setItems([]));
        return () => stop.abort();
    }, [room.id, room.head]);
    if (items?.length === 0) return html`<p class="soft panel-empty">${t('conversations.pins.none')}</p>`;
    return html`<ul>${(items ?? []).map((entry) => html`<${Found} key=${entry.position} entry=${entry} show=${show} />`)}</ul>`;
}

/** @param {{ room: Room, show: (position: number) => void }} props */
function Search({ room, show }) {
    const [text, setText] = useState('');
    const [filters, setFilters] = useState({ ...NO_FILTERS, room: room.id });
    const { items, next, problem, more } = useSearch(text, filters);
    const field = useRef(/** @type {HTMLInputElement | null} */ (null));
    useLayoutEffect(() => field.current?.focus(), []);
    return html`
        <label class="search-box"><${Icon} name="search" /><span class="sr-only">${t('conversations.search')}</span>
            <input type="search" ref=${field} placeholder=${t('conversations.search')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} /></label>
        <${FilterFields} filters=${filters} set=${setFilters} room=${room.id} />
        <div class="sr-only" role="status">${items ? t('conversations.search.found', { n: items.length }) : ''}</div>
        ${problem && html`<p class="notice bad">${problem}</p>`}
        ${items?.length === 0 && !problem && html`<p class="soft panel-empty">${t('conversations.search.none')}</p>`}
        <ul>${(items ?? []).map((hit) => hit.what.item === 'entry'
            ? html`<${Found} entry=${hit.what} show=${show} text=${html`<${Marked} text=${hit.snippet} matches=${hit.matches} />`} />`
            : html`<li><a class="found inset-focus" href=${to('drive', room.id)}><span class="row"><${Icon} name="file" /><bdi>${hit.what.name}</bdi></span></a></li>`)}</ul>
        ${next && html`<button type="button" class="button" onClick=${() => void more()}>${t('do.more')}</button>`}
    `;
}
