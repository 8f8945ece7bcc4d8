// Questions and forms about rooms: a new group, its settings, invitations and links, notices, a day.

import * as api from '../../api.js';
import { html, useEffect, useId, useState } from '../../html.js';
import { newId } from '../../id.js';
import { date, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { Dialog, open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { attempt, say } from '../../parts/notice.js';
import { message as problemText } from '../../parts/problem.js';
import { go, to } from '../../router.js';
import { contacts } from '../../store/index.js';
import { membersOf } from './members.js';
import { personName } from './names.js';

/** @typedef {import('../../types').Room} Room */

/** A form in a dialog: what it does, and what went wrong with it. @param {{ title: string, yes: string, close: (value?: any) => void, work: () => Promise<any>, isReady?: boolean, children?: any }} props */
function Form({ title, yes, close, work, isReady = true, children }) {
    const [problem, setProblem] = useState('');
    const [isBusy, setBusy] = useState(false);
    const submit = async () => {
        if (isBusy || !isReady) return;
        setBusy(true);
        try {
            close(await work());
        } catch (error) {
            setProblem(problemText(error));
            setBusy(false);
        }
    };
    return html`
        <${Dialog} title=${title} close=${() => close()} onSubmit=${submit} footer=${html`
            <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
            <button class="button primary" disabled=${isBusy || !isReady}>${yes}</button>
        `}>
            ${children}
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
        <//>
    `;
}

/** @param {{ label: string, value: string, set: (value: string) => void, [attribute: string]: any }} props */
function Line({ label, value, set, ...rest }) {
    const id = useId();
    return html`<div class="field"><label for=${id}>${label}</label><input class="input" id=${id} value=${value} onInput=${(/** @type {any} */ event) => set(event.currentTarget.value)} ...${rest} /></div>`;
}

/** The contacts to choose from, with a box for each. @param {{ chosen: Set<string>, set: (chosen: Set<string>) => void, without?: Set<string> }} props */
function ChooseContacts({ chosen, set, without }) {
    const all = [...contacts.value.values()].filter((contact) => contact.state === 'contact' && !contact.is_blocked && !without?.has(contact.person.id));
    if (all.length === 0) return html`<p class="soft">${t('conversations.nocontacts')}</p>`;
    const toggle = (/** @type {string} */ id) => {
        const next = new Set(chosen);
        if (!next.delete(id)) next.add(id);
        set(next);
    };
    return html`<fieldset class="choose"><legend class="label">${t('view.contacts')}</legend>
        ${all.map(({ person }) => html`<label class="choose-row"><input type="checkbox" checked=${chosen.has(person.id)} onChange=${() => toggle(person.id)} />
            <${Avatar} id=${person.id} name=${personName(person.id)} size="small" /><bdi>${personName(person.id)}</bdi><span class="soft small">@${person.username}</span></label>`)}
    </fieldset>`;
}

/** Makes a group, and goes there. */
export async function newGroup() {
    const room = await open(({ close }) => html`<${NewGroup} close=${close} />`);
    if (room) go(to('c', room.id));
}

/** @param {{ close: (room?: Room) => void }} props */
function NewGroup({ close }) {
    const [name, setName] = useState('');
    const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
    const [id] = useState(() => newId());
    const work = () => api.post('/rooms', { id, name: name.trim(), topic: '', history: 'all', invite: [...chosen] });
    return html`<${Form} title=${t('conversations.group.new')} yes=${t('conversations.group.make')} close=${close} work=${work} isReady=${name.trim() !== ''}>
        <${Line} label=${t('conversations.group.name')} value=${name} set=${setName} maxlength="100" autofocus />
        <${ChooseContacts} chosen=${chosen} set=${setChosen} />
    <//>`;
}

/** @param {Room} room */
export async function editRoom(room) {
    await open(({ close }) => html`<${EditRoom} room=${room} close=${close} />`);
}

/** @param {{ room: Room, close: () => void }} props */
function EditRoom({ room, close }) {
    const [name, setName] = useState(room.name);
    const [topic, setTopic] = useState(room.topic ?? '');
    const [history, setHistory] = useState(room.history);
    const [days, setDays] = useState(String(room.keep_days));
    const [isArchived, setArchived] = useState(room.archived ?? false);
    const ids = [useId(), useId()];
    const work = () => api.patch(`/rooms/${room.id}`, {
        ...(name.trim() !== room.name ? { name: name.trim() } : {}), ...(topic.trim() !== (room.topic ?? '') ? { topic: topic.trim() } : {}),
        ...(history !== room.history ? { history } : {}), ...(Number(days) !== room.keep_days ? { keep_days: Number(days) } : {}), ...(isArchived !== (room.archived ?? false) ? { archived: isArchived } : {}),
    });
    return html`<${Form} title=${t('conversations.room.edit')} yes=${t('do.save')} close=${close} work=${work} isReady=${name.trim() !== ''}>
        <${Line} label=${t('conversations.group.name')} value=${name} set=${setName} maxlength="100" />
        <${Line} label=${t('conversations.group.topic')} value=${topic} set=${setTopic} />
        <div class="field"><label for=${ids[0]}>${t('conversations.group.history')}</label><select class="input" id=${ids[0]} value=${history} onChange=${(/** @type {any} */ event) => setHistory(event.currentTarget.value)}>
            <option value="all">${t('conversations.group.history.all')}</option><option value="joined">${t('conversations.group.history.joined')}</option></select></div>
        <${Line} label=${t('conversations.group.days')} value=${days} set=${setDays} type="number" min="0" max="36500" />
        <label class="choose-row"><input type="checkbox" checked=${isArchived} onChange=${() => setArchived(!isArchived)} />${t('conversations.group.archive')}</label>
    <//>`;
}

/** Invites contacts, or makes a link. @param {Room} room */
export async function invite(room) {
    await open(({ close }) => html`<${Invite} room=${room} close=${close} />`);
}

/** @param {{ room: Room, close: () => void }} props */
function Invite({ room, close }) {
    const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
    const [role, setRole] = useState('editor');
    const [link, setLink] = useState('');
    const id = useId();
    const members = new Set(membersOf(room.id).filter((member) => member.role).map((member) => member.person.id));
    const work = async () => {
        for (const account of chosen) await api.post(`/rooms/${room.id}/invitations`, { account, role });
        say(t('conversations.invited', { n: chosen.size }));
    };
    const makeLink = () => attempt(async () => {
        const made = await api.post(`/rooms/${room.id}/links`, { role });
        setLink(`${location.origin}/enter/${made.code}`);
    });
    return html`<${Form} title=${t('conversations.invite')} yes=${t('conversations.invite.go')} close=${close} work=${work} isReady=${chosen.size > 0}>
        <div class="field"><label for=${id}>${t('conversations.role')}</label><select class="input" id=${id} value=${role} onChange=${(/** @type {any} */ event) => setRole(event.currentTarget.value)}>
            <option value="editor">${t('conversations.role.editor')}</option><option value="reader">${t('conversations.role.reader')}</option></select></div>
        <${ChooseContacts} chosen=${chosen} set=${setChosen} without=${members} />
        ${link
            ? html`<div class="row"><input class="input" readonly value=${link} aria-label=${t('conversations.link')} onFocus=${(/** @type {any} */ event) => event.currentTarget.select()} />
                <button type="button" class="button" onClick=${() => void attempt(async () => { await navigator.clipboard.writeText(link); say(t('said.copied')); })}>${t('do.copy')}</button></div>`
            : html`<button type="button" class="button" onClick=${makeLink}><${Icon} name="link" />${t('conversations.link.make')}</button>`}
    <//>`;
}

/** The links into a room. @param {{ room: Room }} props */
export function Links({ room }) {
    const [links, setLinks] = useState(/** @type {import('../../types').RoomLink[]} */ ([]));
    useEffect(() => {
        api.get(`/rooms/${room.id}/links`).then((found) => setLinks(found.items), () => {});
    }, [room.id]);
    const remove = (/** @type {string} */ id) => attempt(async () => {
        await api.remove(`/rooms/${room.id}/links/${id}`);
        setLinks((held) => held.filter((link) => link.id !== id));
    });
    if (links.length === 0) return null;
    return html`<section><h3>${t('conversations.links')}</h3><ul>${links.map((link) => html`
        <li class="row panel-row"><span class="grow small">${t(`conversations.role.${link.role}`)} · ${t('conversations.link.until', { date: date(link.expires_ms) })}</span>
            <button type="button" class="icon-button" aria-label=${t('conversations.link.remove')} onClick=${() => void remove(link.id)}><${Icon} name="trash" /></button></li>`)}</ul></section>`;
}

/** @param {Room} room */
export async function notify(room) {
    const chosen = await open(({ close }) => html`<${Dialog} title=${t('conversations.notify')} close=${() => close()} class="narrow">
        <div class="column" role="radiogroup" aria-label=${t('conversations.notify')}>
            ${['all', 'mentions', 'nothing'].map((name) => html`<label class="choose-row"><input type="radio" name="notify" checked=${room.preferences.notify === name} onChange=${() => close(name)} />${t(`conversations.notify.${name}`)}</label>`)}
        </div><//>`);
    if (chosen) await attempt(() => api.patch(`/rooms/${room.id}/preferences`, { notify: chosen }));
}

/** Asks for a day; its beginning, in milliseconds. @returns {Promise<number | undefined>} */
export function chooseDay() {
    return open(({ close }) => html`<${ChooseDay} close=${close} />`);
}

/** @param {{ close: (ms?: number) => void }} props */
function ChooseDay({ close }) {
    const [value, setValue] = useState('');
    return html`<${Form} title=${t('conversations.jump')} yes=${t('conversations.jump.go')} close=${close} isReady=${value !== ''} work=${async () => new Date(`${value}T00:00`).getTime()}>
        <${Line} label=${t('conversations.jump.day')} type="date" value=${value} set=${setValue} autofocus />
    <//>`;
}
