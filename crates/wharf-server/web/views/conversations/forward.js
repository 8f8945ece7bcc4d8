// Passing messages on to other rooms. A text goes as a text of one's own, by choice with a line that says whose it was; a file goes into the drive of the
// other room by reference, so that nothing is loaded or sent. Several can become one message, for a conversation to be read as one; their files come after it.

import * as api from '../../api.js';
import * as fold from '../../fold.js';
import { html, useId, useRef, useState } from '../../html.js';
import { newId } from '../../id.js';
import { dateAndTime, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { Dialog, open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { say } from '../../parts/notice.js';
import { message as problemText } from '../../parts/problem.js';
import { VirtualList } from '../../parts/virtual.js';
import { me } from '../../session.js';
import { rooms, send } from '../../store/index.js';
import { isTaken, nextName } from '../../transfer/names.js';
import { personName, roomFits, roomName, roomPicture } from './names.js';

/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').Draft} Draft */

const TEXT_BYTES_MAX = 64 * 1024;

/** Asks where messages go, and sends them there. True if it did. @param {Room} room @param {Entry[]} entries */
export async function forward(room, entries) {
    const rooms = await open(({ close }) => html`<${Forward} room=${room} entries=${entries} close=${close} />`);
    if (rooms) say(t('conversations.forward.done', { n: rooms }));
    return rooms !== undefined;
}

/** @param {{ room: Room, entries: Entry[], close: (rooms?: number) => void }} props */
function Forward({ room, entries, close }) {
    const [text, setText] = useState('');
    const [chosen, setChosen] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
    const [hasOrigin, setOrigin] = useState(true);
    const [isOne, setOne] = useState(false);
    const [problem, setProblem] = useState('');
    const [isBusy, setBusy] = useState(false);
    const id = useId();
    const isSeveral = entries.length > 1;
    /** What is ready to be said, by room: after a failure it is not made again. @type {{ current: Map<string, Draft[]> }} */
    const ready = useRef(new Map());
    const shown = [...rooms.value.values()].filter((target) => target.can_write && roomFits(target, text))
        .sort((a, b) => (b.last?.at_ms ?? b.joined_ms) - (a.last?.at_ms ?? a.joined_ms));
    const toggle = (/** @type {string} */ target) => {
        const next = new Set(chosen);
        if (!next.delete(target)) next.add(target);
        setChosen(next);
    };
    const submit = async () => {
        if (isBusy || chosen.size === 0) return;
        setBusy(true);
        setProblem('');
        try {
            // First everything is put where it will be, then it is said: what fails leaves nothing half told.
            for (const target of chosen) if (!ready.current.has(target)) ready.current.set(target, await drafts(room, entries, target, { hasOrigin, isOne }));
            for (const target of chosen) for (const draft of ready.current.get(target) ?? []) await send(target, draft);
            close(chosen.size);
        } catch (error) {
            setProblem(problemText(error));
            setBusy(false);
        }
    };
    return html`
        <${Dialog} title=${t('conversations.forward.messages', { n: entries.length })} close=${() => close()} class="forward" onSubmit=${submit} footer=${html`
            <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
            <button class="button primary" disabled=${isBusy || chosen.size === 0}>${t('conversations.forward')}</button>
        `}>
            <label class="search-box"><${Icon} name="search" /><span class="sr-only">${t('do.search')}</span>
                <input type="search" autofocus placeholder=${t('do.search')} value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} /></label>
            ${shown.length === 0
                ? html`<p class="soft panel-empty">${t('conversations.forward.none')}</p>`
                : html`<${VirtualList} class="forward-rooms" count=${shown.length} guess=${48} role="group" aria-label=${t('conversations.forward.where')} keyOf=${(/** @type {number} */ index) => shown[index].id}
                    render=${(/** @type {number} */ index) => html`<label class="choose-row"><input type="checkbox" checked=${chosen.has(shown[index].id)} onChange=${() => toggle(shown[index].id)} />
                        <${Avatar} id=${roomPicture(shown[index])} name=${roomName(shown[index])} size="small" isRoom=${shown[index].kind !== 'direct'} /><bdi class="one-line">${roomName(shown[index])}</bdi></label>`} />`}
            <label class="choose-row" for=${id}><input type="checkbox" id=${id} checked=${hasOrigin} onChange=${() => { ready.current.clear(); setOrigin(!hasOrigin); }} />${t('conversations.forward.origin')}</label>
            ${isSeveral && html`<label class="choose-row" for=${`${id}-one`}><input type="checkbox" id=${`${id}-one`} checked=${isOne} onChange=${() => { ready.current.clear(); setOne(!isOne); }} />${t('conversations.forward.one')}</label>`}
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
        <//>
    `;
}

/**
 * What is said in a room to pass messages on; their files are there afterwards.
 * @param {Room} room @param {Entry[]} entries @param {string} target @param {{ hasOrigin: boolean, isOne: boolean }} how
 * @returns {Promise<Draft[]>}
 */
async function drafts(room, entries, target, { hasOrigin, isOne }) {
    /** @type {Draft[]} */
    const made = isOne ? inOne(entries, hasOrigin).map((text) => ({ kind: 'text', text })) : [];
    for (const entry of entries) {
        const text = isOne ? '' : hasOrigin ? withOrigin(entry) : (fold.textOf(entry) ?? '');
        if (entry.body?.kind !== 'file') {
            if (!isOne) made.push({ kind: 'text', text });
            continue;
        }
        const { node, revision, name, dimensions } = entry.body;
        const file = target === room.id ? { id: node, revision } : await placeIn(target, room.id, { node, revision, name });
        made.push({ kind: 'file', node: file.id, revision: file.revision, text, ...(dimensions ? { dimensions } : {}) });
    }
    return made;
}

/** Messages one below the other in a text, or in as few as it takes. Files stand in it by their names. @param {Entry[]} entries @param {boolean} hasOrigin */
function inOne(entries, hasOrigin) {
    /** @type {string[]} */
    const texts = [];
    for (const entry of entries) {
        const said = fold.textOf(entry) ?? '';
        const text = entry.body?.kind === 'file' ? `*${plain(entry.body.name)}*${said && `\n\n${said}`}` : said;
        // Of one that is nearly as long as a message may be, at least what it says.
        const next = [hasOrigin ? withOrigin(entry, text) : text, text, said].find(fits) ?? '';
        const both = texts.length > 0 ? `${texts[texts.length - 1]}\n\n${next}` : next;
        if (texts.length > 0 && fits(both)) texts[texts.length - 1] = both;
        else texts.push(next);
    }
    return texts;
}

/** Puts a file of one room into another, by its manifest; where its name is taken, with a number. @param {string} target @param {string} from @param {{ node: string, revision: number, name: string }} file */
async function placeIn(target, from, { node, revision, name }) {
    const { manifest } = await api.get(`/rooms/${from}/manifest`, { id: node, revision });
    for (let path = name; ; path = nextName(path)) {
        try {
            const { results } = await api.post(`/rooms/${target}/commit`, { id: newId(), ops: [{ op: 'put', path, manifest, expect: 'absent' }] });
            return results[0];
        } catch (error) {
            if (!isTaken(error)) throw error;
        }
    }
}

/** A text as it is, where others would be Markdown. @param {string} text */
const plain = (text) => text.replace(/[!-/:-@[-`{-~]/g, '\\$&').replace(/\s+/g, ' ');

/** @param {string} text */
const fits = (text) => new TextEncoder().encode(text).length <= TEXT_BYTES_MAX;

/** A message as a quote of who wrote it; as it is where that would be too long. @param {Entry} entry @param {string} [text] what it says */
export function withOrigin(entry, text = fold.textOf(entry) ?? '') {
    const name = entry.account === me.value?.id ? (me.value?.nickname ?? '') : entry.account ? personName(entry.account) : (entry.name ?? '');
    const head = `**${plain(name)}** · ${dateAndTime(entry.at_ms)}`;
    const quoted = text === '' ? head : `${head}\n${text.split('\n').map((line) => `> ${line}`).join('\n')}`;
    return fits(quoted) ? quoted : text;
}
