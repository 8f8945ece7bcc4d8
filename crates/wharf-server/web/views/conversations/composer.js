// Where messages are written: Enter (or Ctrl+Enter) sends, never while an input method composes; ↑ in the empty field edits the last own message.

import * as fold from '../../fold.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { Dialog, open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { attempt } from '../../parts/notice.js';
import { soundsLike } from '../../parts/pinyin.js';
import { me } from '../../session.js';
import { draftOf, setDraft } from '../../store/drafts.js';
import { say, send } from '../../store/index.js';
import * as queue from '../../transfer/queue.js';
import { spaceLeftIfKnown } from '../../transfer/space.js';
import { kindOf, measure } from './attachment.js';
import { membersOf } from './members.js';
import { preview } from './message.js';
import { authorName } from './names.js';
import { isEnterSending } from './send-keys.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').Entry} Entry */

const TYPING_MS = 3000;
const SUGGESTIONS_MAX = 6;
const TEXT_BYTES_MAX = 64 * 1024;

/** What is on its way to the disk, by room: until it is there it stays the draft, which is then not to be shown. @type {Map<string, string>} */
const handedOver = new Map();

/** What the field of a room begins with. @param {string} room */
const unsent = (room) => (draftOf(room) === handedOver.get(room) ? '' : draftOf(room));

/** Whom a text mentions, by the names of members in it. @param {Room} room @param {string} text @returns {import('../../types').Mentions | undefined} */
function mentionsIn(room, text) {
    const names = new Set([...text.matchAll(/(?:^|[^\p{L}\p{N}@])@([\p{L}\p{N}._-]{1,64})/gu)].map(([, name]) => name.toLocaleLowerCase()));
    if (names.size === 0) return undefined;
    const accounts = membersOf(room.id).filter(({ person, role }) => role && names.has(person.username.toLocaleLowerCase())).map(({ person }) => person.id).sort().slice(0, 100);
    const everybody = names.has('all') && room.kind === 'group';
    if (accounts.length === 0 && !everybody) return undefined;
    return { ...(accounts.length ? { accounts } : {}), ...(everybody ? { everybody } : {}) };
}

/**
 * `label` is what the field is for, where it is not a message. `resume` takes up a reply or an edit again that could not be sent.
 * @param {{ room: Room, reply: Entry | null, editing: Entry | null, done: () => void, resume: (reply: Entry | null, editing: Entry | null) => void, editLast: () => void, toEnd: () => void, handle: { current: any }, isHidden?: boolean, label?: string }} props
 */
export function Composer({ room, reply, editing, done, resume, editLast, toEnd, handle, isHidden = false, label = t('conversations.write') }) {
    const [text, setText] = useState(() => unsent(room.id));
    const [suggested, setSuggested] = useState(0);
    const [caret, setCaret] = useState(0);
    const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
    const chooser = useRef(/** @type {HTMLInputElement | null} */ (null));
    const typed = useRef(0);
    /** What an edit was to say that could not be sent. */
    const edited = useRef(/** @type {{ position: number, text: string } | null} */ (null));
    handle.current = { focus: () => field.current?.focus(), choose: () => chooser.current?.click(), offer: (/** @type {File[]} */ files) => offer(files) };

    // Before anybody can press a key: what was typed meanwhile would be written over.
    useLayoutEffect(() => {
        if (editing) write((edited.current?.position === editing.position ? edited.current.text : fold.textOf(editing)) ?? '');
        else write(unsent(room.id));
        edited.current = null;
        if (editing || reply) field.current?.focus();
    }, [editing?.position, reply?.position]);
    useLayoutEffect(() => {
        const element = field.current;
        if (!element || CSS.supports('field-sizing', 'content')) return;
        element.style.height = 'auto';
        element.style.height = `${element.scrollHeight + 2}px`;
    }, [text]);

    /** @param {string} value */
    function write(value) {
        setText(value);
        if (field.current) field.current.value = value;
    }

    const change = (/** @type {any} */ event) => {
        const { value, selectionStart } = event.currentTarget;
        setText(value);
        setCaret(selectionStart);
        setSuggested(0);
        if (editing) return;
        setDraft(room.id, value);
        if (value && Date.now() - typed.current > TYPING_MS) {
            typed.current = Date.now();
            say({ type: 'typing', room: room.id });
        }
    };

    const submit = () => {
        const said = text.trim();
        if (!said) return;
        if (new TextEncoder().encode(said).length > TEXT_BYTES_MAX) {
            void attempt(() => Promise.reject(Object.assign(new Error(), { code: 'too_large' })));
            return;
        }
        const mentions = mentionsIn(room, said);
        const common = { text: said, ...(mentions ? { mentions } : {}) };
        const draft = editing
            ? { kind: /** @type {const} */ ('edit'), target: editing.position, ...common }
            : { kind: /** @type {const} */ ('text'), ...common, ...(reply ? { reply_to: reply.position } : {}) };
        if (!editing) typed.current = 0;
        edited.current = null;
        if (!editing || said !== fold.textOf(editing)) void attempt(() => handOver(draft));
        write('');
        done();
    };

    /** Has something sent. What could not even be written to the disk is in the field again, unless that has other words by then. @param {import('../../types').Draft} draft */
    async function handOver(draft) {
        if (!editing) handedOver.set(room.id, text);
        try {
            await send(room.id, draft);
        } catch (error) {
            if (handedOver.get(room.id) === text) handedOver.delete(room.id);
            if (field.current?.value === '') takeBack();
            throw error;
        }
        if (editing) return;
        if (handedOver.get(room.id) === text) handedOver.delete(room.id);
        // Unless the same was typed again.
        if (draftOf(room.id) === text && field.current?.value !== text) setDraft(room.id, '');
    }

    function takeBack() {
        if (editing) edited.current = { position: editing.position, text };
        else setDraft(room.id, text);
        write(text);
        if (editing || reply) resume(reply, editing);
    }

    // The word that begins with @ before the caret.
    const asked = /(?:^|\s)@([\p{L}\p{N}._-]*)$/u.exec(text.slice(0, caret))?.[1];
    const suggestions = asked === undefined || room.kind !== 'group' ? [] : [
        ...membersOf(room.id).filter(({ person, role }) => role && person.id !== me.value?.id && [person.username, person.nickname].some((name) => name.toLocaleLowerCase().startsWith(asked.toLocaleLowerCase()) || (asked !== '' && soundsLike(name, asked))))
            .map(({ person }) => ({ id: person.id, username: person.username, nickname: person.nickname })),
        ...('all'.startsWith(asked.toLocaleLowerCase()) ? [{ id: 'all', username: 'all', nickname: t('conversations.everybody') }] : []),
    ].slice(0, SUGGESTIONS_MAX);
    const take = (/** @type {string} */ username) => {
        const before = text.slice(0, caret - (asked?.length ?? 0)) + username + ' ';
        write(before + text.slice(caret));
        if (!editing) setDraft(room.id, before + text.slice(caret));
        setCaret(before.length);
        field.current?.focus();
        field.current?.setSelectionRange(before.length, before.length);
    };

    const key = (/** @type {KeyboardEvent} */ event) => {
        // While an input method composes, its keys are its own: Enter takes a word, and 229 is what some browsers say then.
        if (event.isComposing || event.keyCode === 229) return;
        if (suggestions.length > 0) {
            const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
            if (move) {
                setSuggested((suggested + move + suggestions.length) % suggestions.length);
                event.preventDefault();
                return;
            }
            if (event.key === 'Enter' || event.key === 'Tab') {
                take(suggestions[suggested].username);
                event.preventDefault();
                return;
            }
        }
        const isSending = isEnterSending() || event.ctrlKey || event.metaKey;
        if (event.key === 'Enter' && isSending && !event.shiftKey && !event.altKey) {
            event.preventDefault();
            submit();
        } else if (event.key === 'ArrowUp' && text === '' && !editing) {
            event.preventDefault();
            editLast();
        } else if (event.key === 'Escape' && (editing || reply)) {
            event.preventDefault();
            done();
        } else if (event.key === 'Escape' && text === '') {
            event.preventDefault();
            toEnd();
        }
    };

    /** Files were chosen, dropped or pasted: they are shown, with what to say with them, before they go. @param {File[]} files */
    async function offer(files) {
        if (files.length === 0 || !room.can_write) return;
        /** @type {{ files: File[], text: string } | undefined} */
        const said = await open(({ close }) => html`<${Offer} room=${room} files=${files} close=${close} />`);
        if (!said) return;
        const dimensions = await Promise.all(said.files.map(measure));
        const mentions = mentionsIn(room, said.text);
        await attempt(() => queue.handOver(said.files.map((file, index) => ({
            room: room.id, file, dimensions: dimensions[index], text: index === 0 ? said.text : '', replyTo: index === 0 ? reply?.position : undefined, mentions: index === 0 ? mentions : undefined,
        }))));
        done();
    }

    const paste = (/** @type {ClipboardEvent} */ event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length === 0) return;
        event.preventDefault();
        void offer(files);
    };

    if (!room.can_write) return html`<footer class="composer-closed soft" hidden=${isHidden}>${t(room.archived ? 'conversations.archived' : 'conversations.readonly')}</footer>`;
    const about = editing ?? reply;
    return html`
        <footer class="composer-area" hidden=${isHidden}>
            ${suggestions.length > 0 && html`
                <ul class="suggestions" role="listbox" id=${`suggestions-${room.id}`} aria-label=${t('conversations.mention')}>
                    ${suggestions.map((person, index) => html`
                        <li role="option" id=${`suggestion-${room.id}-${index}`} aria-selected=${String(index === suggested)} onMouseDown=${(/** @type {Event} */ event) => { event.preventDefault(); take(person.username); }}>
                            <${Avatar} id=${person.id} name=${person.nickname} size="small" /><bdi>${person.nickname}</bdi><span class="soft">@${person.username}</span>
                        </li>
                    `)}
                </ul>
            `}
            ${about && html`
                <div class="about">
                    <${Icon} name=${editing ? 'edit' : 'reply'} />
                    <span class="grow"><span class="quote-author">${editing ? t('conversations.editing') : authorName(about)}</span><span class="one-line soft"><bdi>${preview(about)}</bdi></span></span>
                    <button type="button" class="icon-button" aria-label=${t('do.cancel')} onClick=${done}><${Icon} name="close" /></button>
                </div>
            `}
            <form class="composer" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); submit(); }}>
                <input type="file" multiple hidden ref=${chooser} onChange=${(/** @type {any} */ event) => { const files = [...event.currentTarget.files]; event.currentTarget.value = ''; void offer(files); }} />
                <button type="button" class="icon-button" aria-label=${t('conversations.attach')} onClick=${() => chooser.current?.click()}><${Icon} name="attach" /></button>
                <textarea class="input" ref=${field} rows="1" dir="auto" aria-label=${label} placeholder=${label} value=${text}
                    onInput=${change} onKeyDown=${key} onPaste=${paste} onSelect=${(/** @type {any} */ event) => setCaret(event.currentTarget.selectionStart)}
                    aria-controls=${suggestions.length > 0 ? `suggestions-${room.id}` : undefined} aria-activedescendant=${suggestions.length > 0 ? `suggestion-${room.id}-${suggested}` : undefined}></textarea>
                <button class="icon-button composer-send" aria-label=${t('conversations.send')} disabled=${!text.trim()}><${Icon} name=${editing ? 'check' : 'send'} /></button>
            </form>
        </footer>
    `;
}

/** The files that are about to go, and how much room there is for them. @param {{ room: Room, files: File[], close: (said?: { files: File[], text: string }) => void }} props */
function Offer({ room, files: given, close }) {
    const [files, setFiles] = useState(given);
    const [text, setText] = useState('');
    const [addresses] = useState(() => new Map(given.map((file) => [file, kindOf(file.name) === 'image' ? URL.createObjectURL(file) : null])));
    useEffect(() => () => {
        for (const address of addresses.values()) if (address) URL.revokeObjectURL(address);
    }, []);
    const [left, setLeft] = useState(Infinity);
    useEffect(() => void spaceLeftIfKnown(room.id).then(setLeft), []);
    const total = files.reduce((sum, file) => sum + file.size, 0);
    const isFull = total > left;
    return html`
        <${Dialog} title=${t('conversations.offer', { n: files.length })} close=${() => close()} onSubmit=${() => close({ files, text: text.trim() })} footer=${html`
            <span class="soft small grow offer-total">${left === Infinity ? size(total) : t('conversations.offer.left', { size: size(total), left: size(left) })}</span>
            <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
            <button class="button primary" disabled=${files.length === 0 || isFull}>${t('conversations.send')}</button>
        `}>
            ${isFull && html`<p class="notice bad" role="alert">${t('conversations.offer.full', { left: size(left) })}</p>`}
            <ul class="offer">
                ${files.map((file) => html`
                    <li class="file-card">
                        ${addresses.get(file) ? html`<img class="offer-picture" src=${addresses.get(file)} alt="" />` : html`<span class="file-sign"><${Icon} name="file" /></span>`}
                        <span class="grow"><bdi class="file-name">${file.name}</bdi><span class="soft small">${size(file.size)}</span></span>
                        <button type="button" class="icon-button" aria-label=${t('conversations.offer.remove', { name: file.name })} onClick=${() => setFiles(files.filter((held) => held !== file))}><${Icon} name="close" /></button>
                    </li>
                `)}
            </ul>
            <div class="field"><label for="offer-text">${t('conversations.offer.text')}</label>
                <input class="input" id="offer-text" autofocus value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} /></div>
        <//>
    `;
}
