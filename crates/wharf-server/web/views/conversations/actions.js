// What can be done with a message.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { html, useEffect, useState } from '../../html.js';
import { dateAndTime, t } from '../../lang/index.js';
import { Dialog, confirm, open } from '../../parts/dialog.js';
import { markdown } from '../../parts/markdown.js';
import { openMenu } from '../../parts/menu.js';
import { attempt, say } from '../../parts/notice.js';
import { message as problemText } from '../../parts/problem.js';
import { me } from '../../session.js';
import { send, welcome } from '../../store/index.js';
import { personName } from './names.js';
import { QUICK } from './message.js';

/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('../../types').Room} Room */

/** Asks to which rooms messages go, and whether they went. @param {Room} room @param {Entry[]} entries */
export const passOn = (room, entries) => attempt(async () => (await import('./forward.js')).forward(room, entries));

/**
 * What a message may ask of its room.
 * @typedef {object} Act
 * @property {(entry: Entry) => void} reply
 * @property {(entry: Entry) => void} edit
 * @property {(position: number) => void} show scrolls to a message
 * @property {(at: Element, entry: Entry) => void} react
 * @property {(entry: Entry, emoji: string, isSet: boolean) => void} toggle
 * @property {(event: MouseEvent | Element, entry: Entry) => void} menu
 * @property {(entry: Entry) => void} history
 * @property {(entry: Entry) => void} view shows an image or film large
 * @property {(entry: Entry, isRange?: boolean) => void} choose selects it among others, or no more; with all up to the one before, for a range
 * @property {ReadonlySet<number> | null} chosen what is selected, while messages are
 */

/** Whether an own message is still young enough for a change. @param {Entry} entry @param {'edit_minutes' | 'recall_minutes'} rule */
export function isYoung(entry, rule) {
    const minutes = welcome.value?.[rule] ?? 0;
    return minutes === 0 || Date.now() - entry.at_ms < minutes * 60_000;
}

/** @param {Room} room @param {Entry} entry */
export const canEdit = (room, entry) => room.can_write && entry.account === me.value?.id && fold.isSaid(entry) && isYoung(entry, 'edit_minutes');

/** Whether one may take a message back: an own one for a while, and in a group that one owns any. @param {Room} room @param {Entry} entry */
export const canRecall = (room, entry) => room.can_write && (entry.account === me.value?.id ? isYoung(entry, 'recall_minutes') : (room.role === 'owner' && room.kind === 'group'));

/** @param {Room} room @param {Entry} entry @param {string} emoji @param {boolean} isSet */
export function toggle(room, entry, emoji, isSet) {
    void attempt(() => send(room.id, { kind: 'reaction', target: entry.position, emoji, is_set: isSet }));
}

/** The reactions to choose from. @param {Element} at @param {Room} room @param {Entry} entry */
export function react(at, room, entry) {
    const mine = (entry.state?.reactions ?? []).filter(({ account }) => account === me.value?.id).map(({ emoji }) => emoji);
    openMenu(at, QUICK.map((emoji) => ({ label: emoji, isChecked: mine.includes(emoji), run: () => toggle(room, entry, emoji, !mine.includes(emoji)) })), { label: t('conversations.react') });
}

/** The menu of a message. @param {MouseEvent | Element} where @param {Room} room @param {Entry} entry @param {Act} act */
export function menu(where, room, entry, act) {
    // A selection, or a link, has the browser's own menu.
    if (where instanceof MouseEvent && where.type === 'contextmenu') {
        if (String(getSelection()) || /** @type {Element} */ (where.target).closest?.('a, img, video')) return;
        where.preventDefault();
    }
    const at = where instanceof MouseEvent ? (where.type === 'contextmenu' ? { x: where.clientX, y: where.clientY } : /** @type {Element} */ (where.currentTarget)) : where;
    const isOver = entry.state?.recalled !== undefined;
    const text = fold.textOf(entry);
    const isPinned = entry.state?.pinned !== undefined;
    if (isOver) return;
    openMenu(at, [
        room.can_write && { label: t('conversations.reply'), icon: 'reply', run: () => act.reply(entry) },
        room.can_write && { label: t('conversations.react'), icon: 'smile', run: () => react(at instanceof Element ? at : document.querySelector(`[data-position="${entry.position}"]`) ?? document.body, room, entry) },
        !!text && { label: t('conversations.copy'), icon: 'copy', run: () => void attempt(async () => { await navigator.clipboard.writeText(text); say(t('said.copied')); }) },
        canEdit(room, entry) && { label: t('conversations.edit'), icon: 'edit', run: () => act.edit(entry) },
        room.can_write && { label: t(isPinned ? 'conversations.unpin' : 'conversations.pin'), icon: 'pin', run: () => void attempt(() => send(room.id, { kind: 'pin', target: entry.position, is_set: !isPinned })) },
        { label: t('conversations.forward'), icon: 'forward', run: () => void passOn(room, [entry]) },
        { label: t('conversations.choose'), icon: 'check', run: () => act.choose(entry) },
        room.kind !== 'personal' && { label: t('conversations.details'), icon: 'info', run: () => history(room, entry) },
        canRecall(room, entry) && { label: t('conversations.recall'), icon: 'trash', isDanger: true, run: () => void recall(room, entry) },
    ], { label: t('do.more') });
}

/** @param {Room} room @param {Entry} entry */
async function recall(room, entry) {
    const isSure = await confirm({ title: t('conversations.recall.ask'), text: t('conversations.recall.text'), yes: t('conversations.recall'), isDanger: true });
    if (isSure) await attempt(() => send(room.id, { kind: 'recall', target: entry.position }));
}

/** Who has read a message, and what it said before. @param {Room} room @param {Entry} entry */
export function history(room, entry) {
    void open(({ close }) => html`<${History} room=${room} entry=${entry} close=${close} />`);
}

/** @param {{ room: Room, entry: Entry, close: () => void }} props */
function History({ room, entry, close }) {
    const [found, setFound] = useState(/** @type {import('../../types').EntryHistory | null} */ (null));
    const [problem, setProblem] = useState('');
    useEffect(() => {
        api.get(`/rooms/${room.id}/log/${entry.position}`).then(setFound, (error) => setProblem(problemText(error)));
    }, []);
    const first = found?.entry.body && 'text' in found.entry.body ? (found.entry.body.text ?? '') : '';
    const texts = found && found.edits?.length ? [{ at_ms: found.entry.at_ms, text: first }, ...found.edits] : [];
    return html`
        <${Dialog} title=${t('conversations.details')} close=${close}>
            ${problem && html`<p class="notice bad">${problem}</p>`}
            <section>
                <h3>${t('conversations.readers')}</h3>
                <p>${(found?.read_by ?? []).filter((id) => id !== entry.account).map(personName).join(', ') || t('conversations.nobody')}</p>
            </section>
            ${texts.length > 0 && html`
                <section>
                    <h3>${t('conversations.versions')}</h3>
                    ${texts.map((version) => html`<div class="version"><time class="soft small">${dateAndTime(version.at_ms)}</time><div class="md">${markdown(version.text)}</div></div>`)}
                </section>
            `}
        <//>
    `;
}
