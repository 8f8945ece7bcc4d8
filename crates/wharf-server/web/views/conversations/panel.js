// The column at the right of a conversation: about the room and its members, its files, what is pinned, a search.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { html, useEffect, useState } from '../../html.js';
import { date, shortTime, size, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { confirm } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { openMenu } from '../../parts/menu.js';
import { attempt } from '../../parts/notice.js';
import { message as problemText } from '../../parts/problem.js';
import { to } from '../../router.js';
import { me } from '../../session.js';
import { presence } from '../../store/index.js';
import { Card, addressOf, kindOf, view } from './attachment.js';
import { Links, invite } from './dialogs.js';
import { loadMembers, membersOf } from './members.js';
import { preview } from './message.js';
import { authorName, personName, roomName, roomPicture } from './names.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').Entry} Entry */

const TABS = ['about', 'files', 'pins', 'search'];
const PAGE = 100;

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

/** Entries page after page, from the last one on. @param {string} path @param {string} room @param {number} head */
function useEntries(path, room, head) {
    const [state, setState] = useState(/** @type {{ items: Entry[], isWhole: boolean, problem: string }} */ ({ items: [], isWhole: false, problem: '' }));
    const more = async (/** @type {Entry[]} */ before) => {
        try {
            const page = await api.get(path, { before: before.at(-1)?.position, limit: PAGE });
            const items = [...before, ...page.items.slice().sort((/** @type {Entry} */ a, /** @type {Entry} */ b) => b.position - a.position)];
            setState({ items, isWhole: page.items.length < PAGE, problem: '' });
        } catch (error) {
            setState((held) => ({ ...held, problem: problemText(error) }));
        }
    };
    useEffect(() => void more([]), [room, head]);
    return { ...state, more: () => more(state.items) };
}

/** @param {{ room: Room, show: (position: number) => void }} props */
function Files({ room, show }) {
    const { items, isWhole, problem, more } = useEntries(`/rooms/${room.id}/files`, room.id, room.head);
    const [kind, setKind] = useState('all');
    const [sender, setSender] = useState('');
    const senders = [...new Set(items.map((entry) => entry.account).filter((account) => account !== undefined))];
    const shown = items.filter(({ account, body }) => body?.kind === 'file'
        && (kind === 'all' || (kind === 'image' ? ['image', 'film'].includes(kindOf(body.name)) : !['image', 'film'].includes(kindOf(body.name)))) && (!sender || account === sender));
    const total = shown.reduce((sum, { body }) => sum + (body?.kind === 'file' ? body.bytes : 0), 0);
    return html`
        <div class="row panel-filters">
            <select class="input" aria-label=${t('conversations.files.kind')} value=${kind} onChange=${(/** @type {any} */ event) => setKind(event.currentTarget.value)}>
                ${['all', 'image', 'other'].map((name) => html`<option value=${name}>${t(`conversations.files.${name}`)}</option>`)}</select>
            <select class="input" aria-label=${t('conversations.files.sender')} value=${sender} onChange=${(/** @type {any} */ event) => setSender(event.currentTarget.value)}>
                <option value="">${t('conversations.files.anybody')}</option>${senders.map((account) => html`<option value=${account}>${account === me.value?.id ? t('conversations.you') : personName(account)}</option>`)}</select>
        </div>
        ${problem && html`<p class="notice bad">${problem}</p>`}
        ${shown.length === 0 && isWhole && html`<p class="soft panel-empty">${t('conversations.files.none')}</p>`}
        ${kind === 'image'
            ? html`<div class="thumbs">${shown.map((entry) => entry.body?.kind === 'file' && html`<button type="button" key=${entry.position} aria-label=${entry.body.name} onClick=${() => view(room, shown.slice().reverse(), entry.position)}>
                ${kindOf(entry.body.name) === 'image' ? html`<img src=${addressOf(room.id, entry.body)} alt="" loading="lazy" />` : html`<${Icon} name="play" />`}</button>`)}</div>`
            : html`<ul>${shown.map((entry) => entry.body?.kind === 'file' && html`<li key=${entry.position} class="panel-file"><${Card} room=${room.id} file=${entry.body} />
                <button type="button" class="panel-where small soft" onClick=${() => show(entry.position)}>${authorName(entry)}, ${date(entry.at_ms)}</button></li>`)}</ul>`}
        ${shown.length > 0 && html`<p class="soft small panel-empty">${t('conversations.files.total', { n: shown.length, size: size(total) })}</p>`}
        ${!isWhole && items.length > 0 && html`<button type="button" class="button" onClick=${() => void more()}>${t('do.more')}</button>`}
    `;
}

/** @param {{ entry: Entry, show: (position: number) => void, text?: string }} props */
function Found({ entry, show, text }) {
    return html`<li><button type="button" class="found inset-focus" onClick=${() => show(entry.position)}>
        <span class="row"><span class="grow one-line quote-author"><bdi>${authorName(entry)}</bdi></span><time class="soft small">${shortTime(entry.at_ms)}</time></span>
        <span class="found-text"><bdi>${text ?? preview(entry)}</bdi></span></button></li>`;
}

/** @param {{ room: Room, show: (position: number) => void }} props */
function Pins({ room, show }) {
    const [items, setItems] = useState(/** @type {Entry[] | null} */ (null));
    useEffect(() => {
        api.get(`/rooms/${room.id}/pins`).then((page) => setItems(page.items), () => setItems([]));
    }, [room.id, room.head]);
    if (items?.length === 0) return html`<p class="soft panel-empty">${t('conversations.pins.none')}</p>`;
    return html`<ul>${(items ?? []).map((entry) => html`<${Found} key=${entry.position} entry=${entry} show=${show} />`)}</ul>`;
}

/** @param {{ room: Room, show: (position: number) => void }} props */
function Search({ room, show }) {
    const [text, setText] = useState('');
    const [items, setItems] = useState(/** @type {import('../../types').Hit[] | null} */ (null));
    useEffect(() => {
        const wanted = text.trim();
        if (!wanted) {
            setItems(null);
            return undefined;
        }
        const stop = new AbortController();
        const timer = setTimeout(() => {
            api.get('/search', { q: wanted, room: room.id, limit: 50, zone: Intl.DateTimeFormat().resolvedOptions().timeZone }, stop.signal).then((found) => setItems(found.items), () => {});
        }, 200);
        return () => {
            clearTimeout(timer);
            stop.abort();
        };
    }, [text]);
    return html`
        <label class="search-box"><${Icon} name="search" /><span class="sr-only">${t('conversations.search')}</span>
            <input type="search" autofocus placeholder=${t('conversations.search')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} /></label>
        <div class="sr-only" role="status">${items ? t('conversations.search.found', { n: items.length }) : ''}</div>
        ${items?.length === 0 && html`<p class="soft panel-empty">${t('conversations.search.none')}</p>`}
        <ul>${(items ?? []).map((hit) => hit.what.item === 'entry'
            ? html`<${Found} entry=${hit.what} show=${show} text=${hit.snippet} />`
            : html`<li><a class="found inset-focus" href=${to('drive', room.id)}><span class="row"><${Icon} name="file" /><bdi>${hit.what.name}</bdi></span></a></li>`)}</ul>
    `;
}
