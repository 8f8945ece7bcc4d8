// What can be done with the messages that are selected.

import * as fold from '../../fold.js';
import { html } from '../../html.js';
import { shortTime, t, timeOfDay } from '../../lang/index.js';
import { confirm } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { attempt, say } from '../../parts/notice.js';
import { send } from '../../store/index.js';
import { canRecall, passOn } from './actions.js';
import { preview } from './message.js';
import { authorName } from './names.js';

/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('../../types').Room} Room */

/** Several messages as one text, with who said each and when. @param {Entry[]} entries */
export function textOfAll(entries) {
    if (entries.length === 1) return fold.textOf(entries[0]) || preview(entries[0]);
    return entries.map((entry) => {
        const [day, time] = [shortTime(entry.at_ms), timeOfDay(entry.at_ms)];
        const said = entry.body?.kind === 'file' ? [entry.body.name, fold.textOf(entry)].filter(Boolean).join('\n') : fold.textOf(entry);
        return `${authorName(entry)}, ${day === time ? time : `${day} ${time}`}\n${said}`;
    }).join('\n\n');
}

/** @param {{ room: Room, all: Entry[], close: () => void }} props */
export function ChosenBar({ room, all, close }) {
    const copy = () => attempt(async () => {
        await navigator.clipboard.writeText(textOfAll(all));
        say(t('said.copied'));
        close();
    });
    const pass = async () => {
        if (await passOn(room, all)) close();
    };
    const recall = async () => {
        const isSure = await confirm({ title: t('conversations.recall.ask.many', { n: all.length }), text: t('conversations.recall.text.many'), yes: t('conversations.recall'), isDanger: true });
        if (!isSure) return;
        await attempt(async () => {
            for (const { position } of all) await send(room.id, { kind: 'recall', target: position });
        });
        close();
    };
    const isNone = all.length === 0;
    // On a narrow screen only the pictures are seen.
    const button = (/** @type {string} */ label, /** @type {import('../../parts/icon.js').IconName} */ icon, /** @type {() => void} */ run, isDanger = false) => html`
        <button type="button" class=${`button quiet ${isDanger ? 'danger' : ''}`} aria-label=${label} disabled=${isNone} onClick=${run}><${Icon} name=${icon} /><span class="chosen-label">${label}</span></button>`;
    return html`
        <footer class="chosen-bar" role="group" aria-label=${t('conversations.choose.bar')}
            onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') { event.preventDefault(); close(); } }}>
            <button type="button" class="icon-button" aria-label=${t('conversations.choose.end')} onClick=${close}><${Icon} name="close" /></button>
            <span class="grow one-line" role="status">${t('conversations.chosen', { n: all.length })}</span>
            ${button(t('conversations.forward'), 'forward', () => void pass())}
            ${navigator.clipboard && button(t('conversations.copy'), 'copy', () => void copy())}
            ${!isNone && all.every((entry) => canRecall(room, entry)) && button(t('conversations.recall'), 'trash', () => void recall(), true)}
        </footer>
    `;
}
