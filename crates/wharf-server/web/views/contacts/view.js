// The contacts, as a tree of the person's own groups: how many of each are there, who is there first. Requests stand above.

import * as api from '../../api.js';
import { html, useMemo, useRef, useState } from '../../html.js';
import { plainName, shortTime, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { confirm } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { openMenu } from '../../parts/menu.js';
import { attempt } from '../../parts/notice.js';
import { hasReadings } from '../../parts/pinyin.js';
import { VirtualList } from '../../parts/virtual.js';
import { back, go, to } from '../../router.js';
import { isNarrow } from '../../shell/shell.js';
import { contacts, groups, presence } from '../../store/index.js';
import { namesFit } from '../conversations/names.js';
import { addContact, askText } from './dialogs.js';

/** @typedef {import('../../types').Contact} Contact */
/** @typedef {{ kind: 'head', id: string, name: string, total: number, online: number, isGroup: boolean } | { kind: 'contact', id: string, contact: Contact } | { kind: 'request', id: string, contact: Contact }} Row */

const STORED = 'wharf-folded-groups';
/** The group of those who are in none. */
const NONE = 'none';

/** @param {Contact} contact */
export const nameOf = (contact) => plainName(contact.remark || contact.person.nickname || contact.person.username);
/** @param {Contact} contact */
const statusOf = (contact) => presence.value.get(contact.person.id)?.status ?? 'offline';
const ORDER = /** @type {Record<string, number>} */ ({ online: 0, busy: 1, away: 2, offline: 3, invisible: 3 });

/** @param {{ place: import('../../router.js').Place }} props */
export function List({ place }) {
    const [text, setText] = useState('');
    const [folded, setFolded] = useState(() => new Set(/** @type {string[]} */ (JSON.parse(localStorage.getItem(STORED) ?? '[]'))));
    const handle = useRef(/** @type {import('../../parts/virtual.js').Handle | null} */ (null));
    const tree = useRef(/** @type {HTMLElement | null} */ (null));
    const wanted = text.trim().toLocaleLowerCase();
    const all = contacts.value;
    const there = presence.value;
    const known = groups.value;
    // The contact that is dragged to another group, and the group that it is over.
    const [dragged, setDragged] = useState(/** @type {Contact | null} */ (null));
    const [over, setOver] = useState('');
    const rows = useMemo(() => rowsOf([...all.values()], [...known.values()], folded, wanted, dragged !== null), [all, there, known, folded, wanted, dragged !== null, hasReadings()]);
    const drag = dragOf({ dragged, setDragged, setOver });
    const [current, setCurrent] = useState('');
    const active = rows.some((row) => row.id === current) ? current : (rows[0]?.id ?? '');
    const fold = (/** @type {string} */ id, isFolded = !folded.has(id)) => {
        const next = new Set(folded);
        if (isFolded) next.add(id);
        else next.delete(id);
        localStorage.setItem(STORED, JSON.stringify([...next]));
        setFolded(next);
    };
    const focus = (/** @type {number} */ index) => {
        const row = rows[index];
        if (!row) return;
        setCurrent(row.id);
        handle.current?.scrollTo(index);
        requestAnimationFrame(() => /** @type {HTMLElement | null} */ (tree.current?.querySelector(`[data-id="${CSS.escape(row.id)}"]`))?.focus());
    };
    const key = (/** @type {KeyboardEvent} */ event) => {
        const index = rows.findIndex((row) => row.id === active);
        const row = rows[index];
        if (!row || !(event.target instanceof Element) || event.target.closest('button')) return;
        if (event.key === 'ArrowDown') focus(index + 1);
        else if (event.key === 'ArrowUp') focus(index - 1);
        else if (event.key === 'Home') focus(0);
        else if (event.key === 'End') focus(rows.length - 1);
        else if (row.kind === 'head' && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) fold(row.id, event.key === 'ArrowLeft');
        else if (row.kind === 'head' && (event.key === 'Enter' || event.key === ' ')) fold(row.id);
        else if (row.kind !== 'head' && event.key === 'Enter') openChat(row.contact);
        else if (row.kind !== 'head' && event.key === ' ') go(to('contacts', row.id));
        else if (event.key === 'ContextMenu') menuOf(row, /** @type {Element} */ (event.target));
        else return;
        event.preventDefault();
    };
    const add = (/** @type {any} */ event) => openMenu(event.currentTarget, [
        { label: t('contacts.add'), icon: 'contacts', run: () => void addContact() },
        { label: t('contacts.group.new'), icon: 'group', run: () => void newGroup() },
    ]);
    return html`
        <div class="head">
            <label class="search-box grow"><${Icon} name="search" /><span class="sr-only">${t('do.search')}</span>
                <input type="search" placeholder=${t('do.search')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} /></label>
            <button type="button" class="icon-button" aria-label=${t('contacts.new')} aria-haspopup="menu" aria-expanded="false" onClick=${add}><${Icon} name="plus" /></button>
        </div>
        ${all.size === 0 && html`<div class="list-empty soft">${t('contacts.empty')}<button type="button" class="button" onClick=${() => void addContact()}>${t('contacts.add')}</button></div>`}
        <div class="contacts-tree" ref=${tree} onKeyDown=${key}>
            ${rows.length > 0 && html`<${VirtualList} class="rooms" count=${rows.length} guess=${56} handle=${handle} role="tree" aria-label=${t('view.contacts')} keyOf=${(/** @type {number} */ index) => rows[index].id}
                render=${(/** @type {number} */ index) => {
                    const row = rows[index];
                    const common = { 'data-id': row.id, tabindex: row.id === active ? 0 : -1, onFocus: () => setCurrent(row.id) };
                    if (row.kind === 'head') return html`<${Head} row=${row} isOver=${over === row.id} drop=${drag.into(row.id)} isFolded=${folded.has(row.id) && !wanted} common=${common} fold=${() => fold(row.id)} />`;
                    return html`<${Item} contact=${row.contact} drag=${{ ...drag.of(row.contact), ...drag.into(groupOf(row.contact)) }} isOpen=${place.path[1] === row.id} common=${common} />`;
                }} />`}
        </div>
    `;
}

/** The group that a contact is shown in, if it is in one of those that can be chosen. @param {Contact} contact */
const groupOf = (contact) => (contact.state === 'contact' && !contact.is_blocked ? (contact.group ?? NONE) : '');

/**
 * What makes rows drag contacts, and take them.
 * @param {{ dragged: Contact | null, setDragged: (contact: Contact | null) => void, setOver: (group: string) => void }} state
 */
function dragOf({ dragged, setDragged, setOver }) {
    const end = () => {
        setDragged(null);
        setOver('');
    };
    return {
        /** @param {Contact} contact */
        of: (contact) => (groupOf(contact) === '' ? {} : {
            draggable: true,
            onDragStart: (/** @type {DragEvent} */ event) => {
                event.dataTransfer?.setData('text/plain', nameOf(contact));
                if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
                // What is dragged must be in the document still when the browser takes its picture.
                setTimeout(() => setDragged(contact));
            },
            onDragEnd: end,
        }),
        /** @param {string} group */
        into: (group) => (dragged === null || (group !== NONE && !groups.value.has(group)) ? {} : {
            onDragOver: (/** @type {DragEvent} */ event) => {
                event.preventDefault();
                setOver(group);
            },
            onDrop: (/** @type {DragEvent} */ event) => {
                event.preventDefault();
                end();
                if (group !== groupOf(dragged)) void edit(dragged, group === NONE ? { ungroup: true } : { group });
            },
        }),
    };
}

/**
 * @param {Contact[]} all @param {import('../../types').ContactGroup[]} known @param {Set<string>} folded @param {string} wanted
 * @param {boolean} hasNone whether those in no group have a heading also where there are none @returns {Row[]}
 */
function rowsOf(all, known, folded, wanted, hasNone) {
    const fits = (/** @type {Contact} */ contact) => namesFit([nameOf(contact), contact.person.nickname, contact.person.username], wanted);
    /** @type {Row[]} */
    const rows = [];
    const section = (/** @type {string} */ id, /** @type {string} */ name, /** @type {Contact[]} */ members, isGroup = false, isKept = isGroup && !wanted) => {
        if (members.length === 0 && !isKept) return;
        const online = members.filter((contact) => contact.state === 'contact' && statusOf(contact) !== 'offline').length;
        rows.push({ kind: 'head', id, name, total: members.length, online, isGroup });
        if (folded.has(id) && !wanted) return;
        const sorted = members.sort((a, b) => ORDER[statusOf(a)] - ORDER[statusOf(b)] || nameOf(a).localeCompare(nameOf(b)));
        for (const contact of sorted) rows.push({ kind: 'contact', id: contact.person.id, contact });
    };
    const shown = all.filter(fits);
    const open = shown.filter((contact) => !contact.is_blocked);
    section('asking', t('contacts.asking'), open.filter((contact) => contact.state === 'asking'));
    const friends = open.filter((contact) => contact.state === 'contact');
    for (const group of known.sort((a, b) => a.order - b.order || a.name.localeCompare(b.name))) section(group.id, group.name, friends.filter((contact) => contact.group === group.id), true);
    section(NONE, t('contacts.friends'), friends.filter((contact) => !contact.group), false, hasNone);
    section('asked', t('contacts.waiting'), open.filter((contact) => contact.state === 'asked'));
    section('blocked', t('contacts.blocked'), shown.filter((contact) => contact.is_blocked));
    return rows;
}

/** @param {{ row: Extract<Row, { kind: 'head' }>, isFolded: boolean, isOver: boolean, drop: Record<string, any>, common: Record<string, any>, fold: () => void }} props */
function Head({ row, isFolded, isOver, drop, common, fold }) {
    return html`<div class=${`contacts-head inset-focus ${isOver ? 'is-over' : ''}`} ...${drop} role="treeitem" aria-level="1" aria-expanded=${String(!isFolded)} ...${common} onClick=${fold}
        onContextMenu=${(/** @type {MouseEvent} */ event) => { if (row.isGroup) { event.preventDefault(); menuOf(row, { x: event.clientX, y: event.clientY }); } }}>
        <${Icon} name="chevron" class=${isFolded ? '' : 'is-open'} /><span class="grow one-line"><bdi>${row.name}</bdi></span><span class="soft small">${row.online}/${row.total}</span></div>`;
}

/** @param {{ contact: Contact, isOpen: boolean, drag: Record<string, any>, common: Record<string, any> }} props */
function Item({ contact, isOpen, drag, common }) {
    const status = contact.state === 'contact' ? statusOf(contact) : undefined;
    const line = contact.state === 'asking' ? contact.word : status && status !== 'offline' ? t(`contacts.status.${status}`) : (contact.person.status_text ?? '');
    return html`<div class=${`contacts-item inset-focus ${isOpen ? 'is-open' : ''}`} role="treeitem" aria-level="2" aria-selected=${String(isOpen)} ...${common} ...${drag}
        onClick=${() => go(to('contacts', contact.person.id))} onDblClick=${() => openChat(contact)}
        onContextMenu=${(/** @type {MouseEvent} */ event) => { event.preventDefault(); menuOf({ kind: 'contact', id: contact.person.id, contact }, { x: event.clientX, y: event.clientY }); }}>
        <${Avatar} id=${contact.person.id} name=${nameOf(contact)} status=${status} />
        <span class="grow"><span class="one-line room-name"><bdi>${nameOf(contact)}</bdi>${contact.remark && html`<span class="soft small"> <bdi>${plainName(contact.person.nickname)}</bdi></span>`}</span><span class="one-line soft small"><bdi>${line}</bdi></span>${status === 'offline' && html`<span class="sr-only">${t('contacts.status.offline')}</span>`}</span>
    </div>`;
}

/** @param {Contact} contact */
function openChat(contact) {
    if (contact.room) go(to('c', contact.room));
    else go(to('contacts', contact.person.id));
}

async function newGroup() {
    const name = await askText({ title: t('contacts.group.new'), label: t('contacts.group.name') });
    if (name) await attempt(() => api.post('/contact-groups', { name }));
}

/** @param {Contact} contact @param {object} changes */
const edit = (contact, changes) => attempt(() => api.patch(`/contacts/${contact.person.id}`, changes));

/** @param {Row} row @param {Element | { x: number, y: number }} at */
function menuOf(row, at) {
    if (row.kind === 'head') {
        if (!row.isGroup) return;
        openMenu(at, [
            { label: t('contacts.group.rename'), icon: 'edit', run: async () => { const name = await askText({ title: t('contacts.group.rename'), label: t('contacts.group.name'), value: row.name }); if (name) await attempt(() => api.patch(`/contact-groups/${row.id}`, { name })); } },
            { label: t('contacts.group.remove'), icon: 'trash', isDanger: true, run: () => void attempt(() => api.remove(`/contact-groups/${row.id}`)) },
        ], { label: row.name });
        return;
    }
    const { contact } = row;
    const isContact = contact.state === 'contact';
    openMenu(at, [
        !!contact.room && { label: t('contacts.message'), icon: 'chat', run: () => openChat(contact) },
        isContact && { label: t('contacts.remark'), icon: 'edit', run: () => void remark(contact) },
        isContact && { label: t('contacts.move'), icon: 'group', run: () => move(at, contact) },
        { label: t(contact.is_blocked ? 'contacts.unblock' : 'contacts.block'), icon: 'lock', run: () => void edit(contact, { is_blocked: !contact.is_blocked }) },
        { label: t('contacts.remove'), icon: 'trash', isDanger: true, run: () => void remove(contact) },
    ], { label: nameOf(contact) });
}

/** @param {Contact} contact */
async function remark(contact) {
    const name = await askText({ title: t('contacts.remark'), label: t('contacts.remark'), value: contact.remark ?? '', isOptional: true });
    if (name !== undefined) await edit(contact, { remark: name });
}

/** @param {Element | { x: number, y: number }} at @param {Contact} contact */
function move(at, contact) {
    openMenu(at, [
        ...[...groups.value.values()].map((group) => ({ label: group.name, isChecked: contact.group === group.id, run: () => void edit(contact, { group: group.id }) })),
        { label: t('contacts.friends'), isChecked: !contact.group, run: () => void edit(contact, { ungroup: true }) },
    ], { label: t('contacts.move') });
}

/** @param {Contact} contact */
async function remove(contact) {
    if (!(await confirm({ title: t('contacts.remove.ask', { name: nameOf(contact) }), yes: t('contacts.remove'), isDanger: true }))) return;
    await attempt(async () => {
        await api.remove(`/contacts/${contact.person.id}`);
        go('/contacts', { replace: true });
    });
}

/** One contact. @param {{ place: import('../../router.js').Place }} props */
export function Main({ place }) {
    const contact = contacts.value.get(place.path[1] ?? '');
    if (!contact) return html`<div class="empty">${t('contacts.choose')}</div>`;
    const { person, state } = contact;
    const there = presence.value.get(person.id);
    const status = state !== 'contact' ? undefined : (there?.status ?? 'offline');
    const answer = (/** @type {string} */ word) => attempt(async () => {
        const answered = await api.post(`/contacts/${person.id}/${word}`);
        if (word === 'accept' && answered?.room) go(to('c', answered.room));
    });
    return html`
        ${isNarrow.value && html`<header class="head"><button type="button" class="icon-button" aria-label=${t('do.back')} onClick=${() => back('/contacts')}><${Icon} name="back" /></button></header>`}
        <div class="contact scroll"><div class="card contact-card">
            <${Avatar} id=${person.id} name=${nameOf(contact)} size="large" status=${status} />
            <h2><bdi>${nameOf(contact)}</bdi></h2>
            <p class="soft">${contact.remark && html`<bdi>${plainName(person.nickname)}</bdi> · `}@${person.username} · ${String(person.number).padStart(6, '0')}</p>
            ${status && html`<p>${status === 'offline' && there?.seen_ms ? t('contacts.seen', { time: shortTime(there.seen_ms) }) : t(`contacts.status.${status}`)}</p>`}
            ${person.status_text && html`<p><bdi>${person.status_text}</bdi></p>`}
            ${state === 'asking' && html`<p>${t('contacts.wants')}</p>${contact.word && html`<blockquote class="notice"><bdi>${contact.word}</bdi></blockquote>`}`}
            ${state === 'asked' && html`<p class="soft">${t('contacts.waits')}</p>`}
            <div class="contact-buttons">
                ${state === 'asking' && html`<button type="button" class="button primary" onClick=${() => void answer('accept')}>${t('contacts.accept')}</button><button type="button" class="button" onClick=${() => void answer('decline')}>${t('contacts.decline')}</button>`}
                ${contact.room && state === 'contact' && html`<button type="button" class="button primary" onClick=${() => openChat(contact)}><${Icon} name="chat" />${t('contacts.message')}</button>`}
                <button type="button" class="button" aria-haspopup="menu" aria-expanded="false" onClick=${(/** @type {any} */ event) => menuOf({ kind: 'contact', id: person.id, contact }, event.currentTarget)}><${Icon} name="more" />${t('do.more')}</button>
            </div>
        </div></div>
    `;
}
