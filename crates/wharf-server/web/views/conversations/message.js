// One message in the log, and the lines that say who came and what changed.

import * as fold from '../../fold.js';
import { html } from '../../html.js';
import { dateAndTime, size, t, timeOfDay } from '../../lang/index.js';
import { Avatar, groundOf } from '../../parts/avatar.js';
import { Icon } from '../../parts/icon.js';
import { markdown } from '../../parts/markdown.js';
import { me } from '../../session.js';
import { cursors } from '../../store/index.js';
import { Attachment } from './attachment.js';
import { membersOf } from './members.js';
import { authorName, personName } from './names.js';

/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('../../types').Room} Room */

/** Messages of one person within this time are one group. */
const GROUP_MS = 5 * 60_000;
export const QUICK = ['👍', '❤️', '😂', '🎉', '😮', '😢'];

/** Whether a message goes on a group that the one before it began. @param {Entry | undefined} before @param {Entry} entry */
export function continues(before, entry) {
    return before !== undefined && fold.isSaid(before) && fold.isSaid(entry) && before.account === entry.account && before.hook === entry.hook
        && before.name === entry.name && entry.at_ms - before.at_ms < GROUP_MS;
}

/** How far an own message has come: how many have read it, of how many. @param {Room} room @param {number} position */
function readCount(room, position) {
    const read = [...(cursors.value.get(room.id)?.values() ?? [])].filter((cursor) => cursor.read >= position).length;
    return { read, of: Math.max(room.member_count - 1, read) };
}

/** What a screen reader says of a message. @param {Room} room @param {Entry} entry */
export function labelOf(room, entry) {
    const parts = [authorName(entry), timeOfDay(entry.at_ms)];
    if (entry.state?.recalled !== undefined) parts.push(t('conversations.recalled'));
    else {
        if (entry.body?.kind === 'file') parts.push(t('conversations.file.label', { name: entry.body.name, size: size(entry.body.bytes) }));
        parts.push(fold.textOf(entry) ?? '');
        if (entry.state?.edited) parts.push(t('conversations.edited'));
        for (const reaction of entry.state?.reactions ?? []) parts.push(`${reaction.emoji} ${personName(reaction.account)}`);
        if (entry.account === me.value?.id && room.kind !== 'personal') {
            const { read, of } = readCount(room, entry.position);
            parts.push(read > 0 ? t('conversations.readby', { read, n: of }) : t('conversations.sent'));
        }
    }
    return parts.filter(Boolean).join(', ');
}

/**
 * @param {{ room: Room, entry: Entry, isFirst: boolean, reply?: Entry, isMarked: boolean, act: import('./actions.js').Act }} props
 */
export function Message({ room, entry, isFirst, reply, isMarked, act }) {
    const isOwn = entry.account === me.value?.id;
    const isRecalled = entry.state?.recalled !== undefined;
    const isGroup = room.kind === 'group';
    const text = fold.textOf(entry);
    const { body } = entry;
    const replyTo = body && 'reply_to' in body ? body.reply_to : undefined;
    const account = me.value?.id ?? '';
    const isChosen = act.chosen?.has(entry.position) ?? false;
    const choose = (/** @type {MouseEvent} */ event) => {
        // The box sets itself; what is prevented would be unset after it was drawn.
        if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
        event.stopPropagation();
        act.choose(entry, event.shiftKey);
    };
    return html`
        <article class=${`message ${act.chosen ? 'is-choosing' : ''} ${isChosen ? 'is-chosen' : ''} ${isOwn ? 'is-own' : ''} ${isFirst ? 'is-first' : ''} ${isMarked ? 'is-marked' : ''} ${fold.mentions(entry, account) ? 'is-mention' : ''}`}
            tabindex="-1" data-position=${entry.position} aria-label=${labelOf(room, entry)} onContextMenu=${(/** @type {MouseEvent} */ event) => act.menu(event, entry)} onClickCapture=${act.chosen && !isRecalled ? choose : undefined}>
            ${act.chosen && !isRecalled && html`<input type="checkbox" class="message-choice" checked=${isChosen} aria-label=${t('conversations.choose.message')} />`}
            ${isGroup && !isOwn && html`<span class="message-avatar">${isFirst && html`<${Avatar} id=${entry.account ?? entry.hook ?? ''} name=${authorName(entry)} size="small" />`}</span>`}
            <div class=${`bubble ${body?.kind === 'file' ? 'has-file' : ''}`}>
                ${isGroup && !isOwn && isFirst && html`<div class="author" style=${{ color: `color-mix(in srgb, ${groundOf(entry.account ?? '')} 62%, var(--text))` }}><bdi>${authorName(entry)}</bdi></div>`}
                ${replyTo !== undefined && !isRecalled && html`<${Quote} entry=${reply} position=${replyTo} act=${act} />`}
                ${isRecalled
                    ? html`<div class="recalled">${t('conversations.recalled')}</div>`
                    : html`
                        ${body?.kind === 'file' && html`<${Attachment} room=${room} entry=${entry} file=${body} act=${act} />`}
                        ${text && html`<div class="text md">${markdown(text, { mention: (name) => mention(room, name) })}</div>`}
                    `}
                <div class="stamp">
                    ${entry.state?.pinned !== undefined && html`<${Icon} name="pin" />`}
                    ${entry.state?.edited && !isRecalled && html`<button type="button" class="edited" title=${dateAndTime(entry.state.edited.at_ms)} onClick=${() => act.history(entry)}>${t('conversations.edited')}</button>`}
                    <time title=${dateAndTime(entry.at_ms)}>${timeOfDay(entry.at_ms)}</time>
                    ${isOwn && !isRecalled && room.kind !== 'personal' && html`<${State} room=${room} position=${entry.position} />`}
                </div>
                ${!isRecalled && html`<${Reactions} entry=${entry} act=${act} canReact=${room.can_write} />`}
            </div>
            ${!isRecalled && !act.chosen && html`
                <div class="message-tools">
                    ${room.can_write && html`
                        <button type="button" class="icon-button" tabindex="-1" aria-label=${t('conversations.react')} aria-haspopup="menu" aria-expanded="false" onClick=${(/** @type {any} */ event) => act.react(event.currentTarget, entry)}><${Icon} name="smile" /></button>
                        <button type="button" class="icon-button" tabindex="-1" aria-label=${t('conversations.reply')} onClick=${() => act.reply(entry)}><${Icon} name="reply" /></button>
                    `}
                    <button type="button" class="icon-button" tabindex="-1" aria-label=${t('do.more')} aria-haspopup="menu" aria-expanded="false" onClick=${(/** @type {any} */ event) => act.menu(event, entry)}><${Icon} name="more" /></button>
                </div>
            `}
        </article>
    `;
}

/** @param {{ room: Room, position: number }} props */
function State({ room, position }) {
    const { read, of } = readCount(room, position);
    const label = read > 0 ? t('conversations.readby', { read, n: of }) : t('conversations.sent');
    return html`<span class=${`state ${read > 0 ? 'is-read' : ''}`} title=${label}><${Icon} name=${read > 0 ? 'checks' : 'check'} />${room.kind === 'group' && read > 0 && html`<span>${read}/${of}</span>`}<span class="sr-only">${label}</span></span>`;
}

/** @param {{ entry?: Entry, position: number, act: import('./actions.js').Act }} props */
function Quote({ entry, position, act }) {
    const text = !entry ? '…' : entry.state?.recalled !== undefined ? t('conversations.recalled') : preview(entry);
    return html`
        <button type="button" class="quote inset-focus" onClick=${() => act.show(position)}>
            <span class="quote-author">${entry ? authorName(entry) : ''}</span>
            <span class="one-line"><bdi>${text}</bdi></span>
        </button>
    `;
}

/** A message in one line. @param {Entry} entry */
export function preview(entry) {
    const text = (fold.textOf(entry) ?? '').replace(/\s+/g, ' ').slice(0, 200);
    return entry.body?.kind === 'file' ? [entry.body.name, text].filter(Boolean).join(' – ') : text;
}

/** @param {{ entry: Entry, act: import('./actions.js').Act, canReact: boolean }} props */
function Reactions({ entry, act, canReact }) {
    const set = entry.state?.reactions ?? [];
    if (set.length === 0) return null;
    /** @type {Map<string, string[]>} */
    const byEmoji = new Map();
    for (const { emoji, account } of set) byEmoji.set(emoji, [...(byEmoji.get(emoji) ?? []), account]);
    return html`
        <div class="reactions">
            ${[...byEmoji].map(([emoji, accounts]) => {
                const isSet = accounts.includes(me.value?.id ?? '');
                const names = accounts.map((account) => (account === me.value?.id ? t('conversations.you') : personName(account))).join(', ');
                return html`<button type="button" class="reaction" key=${emoji} aria-pressed=${String(isSet)} disabled=${!canReact} title=${names} onClick=${() => act.toggle(entry, emoji, !isSet)}>
                    <span>${emoji}</span><span>${accounts.length}</span><span class="sr-only">${names}</span></button>`;
            })}
        </div>
    `;
}

/** `@name` of a member. @param {Room} room @param {string} name */
function mention(room, name) {
    const wanted = name.toLocaleLowerCase();
    if (wanted === 'all') return html`<span class="mention">@${name}</span>`;
    const member = membersOf(room.id).find(({ person }) => person.username.toLocaleLowerCase() === wanted);
    if (!member) return null;
    const isMe = member.person.id === me.value?.id;
    return html`<span class=${`mention ${isMe ? 'is-me' : ''}`} title=${`@${member.person.username}`}>@${isMe ? me.value?.nickname : personName(member.person.id)}</span>`;
}

/** What happened to the room or its members. @param {{ entry: Entry }} props */
export function Event({ entry }) {
    return html`<div class="event"><span>${eventText(entry)}</span></div>`;
}

/** @param {Entry} entry */
export function eventText(entry) {
    const who = authorName(entry);
    const { body } = entry;
    if (body?.kind === 'member') {
        const whom = body.account === me.value?.id ? t('conversations.you') : personName(body.account);
        if (body.change === 'joined') return t('conversations.event.joined', { who: whom });
        if (body.change === 'left') return t('conversations.event.left', { who: whom });
        if (body.change === 'removed') return t('conversations.event.removed', { who, whom });
        return t('conversations.event.role', { who, whom, role: t(`conversations.role.${body.role}`) });
    }
    if (body?.kind === 'settings') {
        if (body.name !== undefined) return t('conversations.event.name', { who, name: body.name });
        if (body.archived !== undefined) return t(body.archived ? 'conversations.event.archived' : 'conversations.event.unarchived', { who });
        if (body.topic !== undefined) return t('conversations.event.topic', { who });
        return t('conversations.event.settings', { who });
    }
    return '';
}

/** Something of the outbox. @param {{ item: import('../../store/outbox.js').Item, retry: () => void, drop: () => void }} props */
export function Waiting({ item, retry, drop }) {
    const { draft, state } = item;
    const text = draft.kind === 'text' || draft.kind === 'file' || draft.kind === 'edit' ? (draft.text ?? '') : '';
    const label = t(state === 'refused' ? 'conversations.refused' : state === 'sent' ? 'conversations.sent' : 'conversations.waiting');
    return html`
        <article class=${`message is-own is-first is-${state}`} tabindex="-1" aria-label=${`${t('conversations.you')}, ${text}, ${label}`}>
            <div class="bubble">
                <div class="text md">${markdown(text)}</div>
                <div class="stamp"><span class="state" title=${label}><${Icon} name=${state === 'refused' ? 'error' : state === 'sent' ? 'check' : 'clock'} /></span></div>
                ${state === 'refused' && html`
                    <div class="refused"><span class="wrong">${label}${item.detail ? `: ${item.detail}` : ''}</span>
                        <span class="row"><button type="button" class="button" onClick=${retry}>${t('do.retry')}</button><button type="button" class="button quiet" onClick=${drop}>${t('conversations.discard')}</button></span></div>
                `}
            </div>
        </article>
    `;
}
