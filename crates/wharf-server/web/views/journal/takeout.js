// Taking entries out of the journal: on paper, as a document, or for programs. What is taken is chosen as what is shown is, and all of it is read
// from the server first, for the list on the screen has only what can be seen.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { html, render, useState } from '../../html.js';
import { inWords, size, t, timeOfDay } from '../../lang/index.js';
import { Dialog, open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { markdown } from '../../parts/markdown.js';
import { message } from '../../parts/problem.js';
import { me } from '../../session.js';
import { authorName } from '../conversations/names.js';
import { queryOf } from './address.js';
import { dayOf, today } from './days.js';
import { DayFields } from './dialogs.js';
import { dayOfYear } from './entries.js';
import { doorName } from './origins.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('./address.js').Choice} Choice */

/** Entries that are asked for at once. */
const PAGE = 1000;
/** Entries that a browser sets on paper in one go. */
const PRINTED_MAX = 5000;

/** @type {{ format: 'markdown' | 'json_lines', ending: string, media: string }[]} */
const FORMATS = [
    { format: 'markdown', ending: 'md', media: 'text/markdown' },
    { format: 'json_lines', ending: 'jsonl', media: 'application/jsonl' },
];

/** @param {Room} room @param {Choice} choice */
export async function takeOut(room, choice) {
    if (document.querySelector('.journal-takeout')) return;
    // Paper is made when the dialog has gone, or it would be on it.
    const print = await open(({ close }) => html`<${TakeOut} room=${room} choice=${choice} close=${close} />`);
    /** @type {(() => void) | undefined} */ (print)?.();
}

/** @param {{ room: Room, choice: Choice, close: (print?: () => void) => void }} props */
function TakeOut({ room, choice, close }) {
    const [from, setFrom] = useState(choice.from);
    const [to, setTo] = useState(choice.to);
    const [isBusy, setBusy] = useState(false);
    const [problem, setProblem] = useState('');
    const wanted = { ...choice, from, to };
    const run = async (/** @type {() => Promise<string>} */ work) => {
        setBusy(true);
        setProblem('');
        try {
            setProblem(await work());
        } catch (error) {
            setProblem(message(error));
        }
        setBusy(false);
    };
    const others = [choice.tag && `#${choice.tag}`, choice.origin && doorName(choice.origin), choice.on && t('journal.on', { day: dayOfYear(choice.on) })].filter(Boolean);
    return html`
        <${Dialog} title=${t('journal.takeout')} close=${() => close()} class="narrow journal-takeout">
            ${choice.on ? null : html`<${DayFields} from=${from} to=${to} setFrom=${setFrom} setTo=${setTo} /><p class="soft small">${t('journal.takeout.days')}</p>`}
            ${others.length > 0 && html`<p>${t('journal.takeout.only', { what: others.join(', ') })}</p>`}
            <div class="journal-takeout-ways">
                <button type="button" class="button" disabled=${isBusy} onClick=${() => run(() => print(room, wanted, close))}><${Icon} name="file" />${t('journal.takeout.print')}</button>
                ${FORMATS.map((one) => html`<button type="button" class="button" key=${one.ending} disabled=${isBusy} onClick=${() => run(() => download(room, wanted, one))}><${Icon} name="download" />${t(`journal.takeout.${one.ending}`)}</button>`)}
            </div>
            <p class="soft small" role="status">${isBusy ? t('journal.takeout.busy') : t('journal.takeout.text')}</p>
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
        <//>
    `;
}

/** Reads a document part by part and gives it to the browser as a file. Says what was in the way. @param {Room} room @param {Choice} choice @param {typeof FORMATS[number]} how */
async function download(room, choice, { format, ending, media }) {
    const parts = [];
    /** @type {number | undefined} */
    let after;
    do {
        const part = /** @type {import('../../types').DiaryText} */ (await api.get(`/rooms/${room.id}/diary/export/${format}`, { ...queryOf(choice), after }));
        if (part.text) parts.push(part.text);
        after = part.next;
    } while (after !== undefined);
    if (parts.length === 0) return t('journal.none');
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(parts, { type: `${media};charset=utf-8` }));
    link.download = `journal-${today()}.${ending}`;
    link.click();
    // The browser has begun with it by then.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return '';
}

/** Reads entries and has the browser print them, without the frame. Says what was in the way. @param {Room} room @param {Choice} choice @param {(print: () => void) => void} close */
async function print(room, choice, close) {
    /** @type {Entry[]} */
    const entries = [];
    /** @type {number | undefined} */
    let after;
    do {
        const page = /** @type {import('../../types').DiaryPage} */ (await api.get(`/rooms/${room.id}/diary`, { ...queryOf(choice), after, limit: PAGE }));
        entries.push(...page.items);
        after = page.next;
    } while (after !== undefined && entries.length <= PRINTED_MAX);
    if (entries.length === 0) return t('journal.none');
    if (entries.length > PRINTED_MAX) return t('journal.takeout.much', { n: PRINTED_MAX });
    close(() => putOnPaper(entries));
    return '';
}

/** @param {Entry[]} entries */
function putOnPaper(entries) {
    const paper = document.createElement('div');
    paper.className = 'journal-paper';
    render(html`<${Paper} entries=${entries} />`, paper);
    document.body.append(paper);
    const clear = () => {
        render(null, paper);
        paper.remove();
    };
    addEventListener('afterprint', clear, { once: true });
    window.print();
}

/** @param {{ entries: Entry[] }} props */
function Paper({ entries }) {
    /** @type {Map<string, Entry[]>} */
    const days = new Map();
    for (const entry of entries) {
        const day = dayOf(entry.at_ms);
        const held = days.get(day);
        if (held) held.push(entry);
        else days.set(day, [entry]);
    }
    return html`
        <h1>${t('journal.paper', { name: me.value?.nickname ?? '' })}</h1>
        ${[...days.values()].map((all) => html`
            <section>
                <h2>${inWords(all[0].at_ms, { dateStyle: 'full' })}</h2>
                ${all.map((entry) => html`
                    <article>
                        <time>${timeOfDay(entry.at_ms)}</time>
                        <div class="md">
                            ${entry.account !== me.value?.id && html`<p><strong>${authorName(entry)}</strong></p>`}
                            ${entry.body?.kind === 'file' && html`<p><em>${entry.body.name}</em> (${size(entry.body.bytes)})</p>`}
                            ${markdown(fold.textOf(entry) ?? '')}
                        </div>
                    </article>
                `)}
            </section>
        `)}
    `;
}
