// What can be done with an entry of the journal.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { html, useEffect, useState } from '../../html.js';
import { dateAndTime, t } from '../../lang/index.js';
import { Dialog, confirm, open } from '../../parts/dialog.js';
import { markdown } from '../../parts/markdown.js';
import { openMenu } from '../../parts/menu.js';
import { attempt, say } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { me } from '../../session.js';
import { send, welcome } from '../../store/index.js';

/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('../../types').Room} Room */

/**
 * What an entry may ask of the list that it is in.
 * @typedef {object} Act
 * @property {(entry: Entry) => void} edit
 * @property {(event: MouseEvent | Element, entry: Entry) => void} menu
 * @property {(entry: Entry) => void} view shows an image or film large
 * @property {(position: number) => void} [show] goes to it among all, where these are some
 */

/** Whether the server still lets it be changed. @param {Entry} entry @param {'edit_minutes' | 'recall_minutes'} rule */
function isYoung(entry, rule) {
    const minutes = welcome.value?.[rule] ?? 0;
    return minutes === 0 || Date.now() - entry.at_ms < minutes * 60_000;
}

/** @param {Room} room @param {Entry} entry */
export const canEdit = (room, entry) => room.can_write && entry.account === me.value?.id && fold.isSaid(entry) && isYoung(entry, 'edit_minutes');

/** The menu of an entry. @param {MouseEvent | Element} where @param {Room} room @param {Entry} entry @param {Act} act */
export function menu(where, room, entry, act) {
    const isRight = where instanceof MouseEvent && where.type === 'contextmenu';
    if (isRight) {
        // A selection, or a link, has the browser's own menu.
        if (String(getSelection()) || /** @type {Element} */ (where.target).closest?.('a, img, video')) return;
        where.preventDefault();
    }
    const at = where instanceof Element ? where : isRight ? { x: where.clientX, y: where.clientY } : /** @type {Element} */ (where.currentTarget);
    const text = fold.textOf(entry);
    const { show } = act;
    openMenu(at, [
        show && { label: t('journal.show'), icon: 'calendar', run: () => show(entry.position) },
        !!text && { label: t('journal.copy'), icon: 'copy', run: () => void attempt(async () => { await navigator.clipboard.writeText(text); say(t('said.copied')); }) },
        canEdit(room, entry) && { label: t('journal.edit'), icon: 'edit', run: () => act.edit(entry) },
        entry.state?.edited !== undefined && { label: t('journal.versions'), icon: 'clock', run: () => versions(room, entry) },
        room.can_write && isYoung(entry, 'recall_minutes') && { label: t('journal.recall'), icon: 'trash', isDanger: true, run: () => void recall(room, entry) },
    ], { label: t('do.more') });
}

/** @param {Room} room @param {Entry} entry */
async function recall(room, entry) {
    const isSure = await confirm({ title: t('journal.recall.ask'), text: t('journal.recall.text'), yes: t('journal.recall'), isDanger: true });
    if (isSure) await attempt(() => send(room.id, { kind: 'recall', target: entry.position }));
}

/** What an entry said before. @param {Room} room @param {Entry} entry */
export function versions(room, entry) {
    void open(({ close }) => html`<${Versions} room=${room} entry=${entry} close=${close} />`);
}

/** @param {{ room: Room, entry: Entry, close: () => void }} props */
function Versions({ room, entry, close }) {
    const [found, setFound] = useState(/** @type {import('../../types').EntryHistory | null} */ (null));
    const [problem, setProblem] = useState('');
    useEffect(() => {
        api.get(`/rooms/${room.id}/log/${entry.position}`).then(setFound, (error) => setProblem(message(error)));
    }, []);
    const first = found?.entry.body && 'text' in found.entry.body ? (found.entry.body.text ?? '') : '';
    const all = found ? [{ at_ms: found.entry.at_ms, text: first }, ...found.edits] : [];
    return html`
        <${Dialog} title=${t('journal.versions')} close=${close}>
            ${problem ? html`<p class="notice bad" role="alert">${problem}</p>` : !found && html`<${Spinner} label=${t('shell.loading')} />`}
            <ol class="journal-versions">${all.map((version) => html`<li><time class="soft small">${dateAndTime(version.at_ms)}</time><div class="md">${markdown(version.text)}</div></li>`)}</ol>
        <//>
    `;
}
