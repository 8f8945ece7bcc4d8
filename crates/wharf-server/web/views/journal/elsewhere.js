// Writing from elsewhere: the keys with which any box adds entries by datagrams, and the addresses whose old diaries come here.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { date, t } from '../../lang/index.js';
import { Dialog, confirm, open } from '../../parts/dialog.js';
import { Field, useWork } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { attempt, say } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { back } from '../../router.js';
import { isNarrow } from '../../shell/shell.js';
import { rooms } from '../../store/index.js';
import { roomName } from '../conversations/names.js';
import { commandsOf } from './commands.js';

/** @typedef {import('../../types').JournalKey} JournalKey */
/** @typedef {import('../../types').JournalKeyKind} JournalKeyKind */
/** @typedef {import('../../types').DiaryAddress} DiaryAddress */
/** @typedef {import('../../types').Room} Room */
/** @typedef {{ keys: import('../../types').JournalKeys, addresses: DiaryAddress[] }} State */

/** @type {JournalKeyKind[]} */
const KINDS = ['token', 'signed', 'sealed'];

/** @param {{ room: Room }} props */
export function Elsewhere({ room }) {
    const [state, setState] = useState(/** @type {State | null} */ (null));
    const [problem, setProblem] = useState('');
    const read = async () => {
        try {
            const [keys, addresses] = await Promise.all([api.get('/journal-keys'), api.get('/diary-addresses')]);
            setState({ keys, addresses: addresses.items });
            setProblem('');
        } catch (error) {
            setProblem(message(error));
        }
    };
    useEffect(() => void read(), []);
    return html`
        <header class="head">
            ${isNarrow.value && html`<button type="button" class="icon-button" aria-label=${t('do.back')} onClick=${() => back('/journal')}><${Icon} name="back" /></button>`}
            <h2 class="one-line grow">${t('journal.elsewhere')}</h2>
        </header>
        <div class="section-content scroll inset-focus" role="group" aria-label=${t('journal.elsewhere')} tabindex="0"><div class="section-column">
            ${problem ? html`<p class="notice bad" role="alert">${problem}</p><div><button type="button" class="button" onClick=${read}>${t('do.retry')}</button></div>`
                : !state ? html`<${Spinner} label=${t('shell.loading')} />`
                : html`<${Keys} room=${room} keys=${state.keys} read=${read} /><${Addresses} room=${room} isOn=${state.keys.port !== undefined} addresses=${state.addresses} read=${read} />`}
        </div></div>
    `;
}

/** What a key or an address writes to. @param {string} id */
const nameOfRoom = (id) => {
    const room = rooms.value.get(id);
    return !room ? t('journal.room.gone') : room.kind === 'personal' ? t('view.journal') : roomName(room);
};

/** @param {{ room: Room, keys: import('../../types').JournalKeys, read: () => Promise<void> }} props */
function Keys({ room, keys, read }) {
    const make = async () => {
        /** @type {JournalKey | undefined} */
        const key = await open(({ close }) => html`<${MakeKey} room=${room} close=${close} />`);
        if (!key) return;
        await read();
        await open(({ close }) => html`<${Told} key_=${key} close=${close} />`);
    };
    const remove = async (/** @type {JournalKey} */ key) => {
        if (!(await confirm({ title: t('journal.key.remove.ask', { name: key.name }), text: t('journal.key.remove.text'), yes: t('journal.key.remove'), isDanger: true }))) return;
        await attempt(() => api.remove(`/journal-keys/${key.id}`));
        await read();
    };
    return html`
        <p class="soft">${t('journal.keys.text')}</p>
        ${keys.port === undefined
            ? html`<p class="notice">${t('journal.keys.off')}</p>`
            : html`<div><button type="button" class="button primary" onClick=${make}><${Icon} name="plus" />${t('journal.key.make')}</button></div>`}
        ${keys.items.length === 0 ? html`<p class="soft">${t('journal.keys.none')}</p>` : html`
            <ul class="card section-rows" aria-label=${t('journal.keys')}>
                ${keys.items.map((key) => html`
                    <li key=${key.id} class="section-row">
                        <div class="grow">
                            <div class="section-name"><bdi>${key.name}</bdi></div>
                            <div class="soft small">${t(`journal.kind.${key.kind}`)} · <bdi>${nameOfRoom(key.room)}</bdi></div>
                            <div class="soft small">${t('journal.key.made', { when: date(key.created_ms) })} · ${key.used_ms ? t('journal.key.used', { n: key.entries_count, when: date(key.used_ms) }) : t('journal.key.unused')}</div>
                        </div>
                        <div class="section-deeds"><button type="button" class="button danger" aria-label=${`${t('journal.key.remove')}: ${key.name}`} onClick=${() => remove(key)}>${t('journal.key.remove')}</button></div>
                    </li>
                `)}
            </ul>
        `}
    `;
}

/** @param {{ room: Room, close: (key?: JournalKey) => void }} props */
function MakeKey({ room, close }) {
    const [kind, setKind] = useState(KINDS[0]);
    const [name, setName] = useState('');
    const { isBusy, problem, run } = useWork(async () => close(await api.post(`/rooms/${room.id}/journal-keys`, { kind, name: name.trim() })));
    return html`
        <${Dialog} title=${t('journal.key.make')} close=${() => close()} onSubmit=${run} footer=${html`
            <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
            <button class="button primary" disabled=${isBusy || !name.trim()}>${t('journal.key.make.go')}</button>
        `}>
            <${Field} label=${t('journal.key.name')} hint=${t('journal.key.name.hint')} maxlength="100" autofocus autocomplete="off" value=${name} set=${setName} />
            <fieldset class="journal-kinds">
                <legend class="label">${t('journal.kind')}</legend>
                ${KINDS.map((one) => html`<label key=${one}><input type="radio" name="kind" value=${one} checked=${one === kind} onChange=${() => setKind(one)} />
                    <span><span class="section-name">${t(`journal.kind.${one}`)}</span><span class="soft small">${t(`journal.kind.${one}.text`)}</span></span></label>`)}
            </fieldset>
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
        <//>
    `;
}

/** What is written with a new key, shown once. @param {{ key_: JournalKey, close: () => void }} props */
function Told({ key_: key, close }) {
    const copy = (/** @type {string} */ text) => attempt(async () => {
        await navigator.clipboard.writeText(text);
        say(t('said.copied'));
    });
    return html`
        <${Dialog} title=${key.name} close=${close} footer=${html`<button type="button" class="button primary" onClick=${close}>${t('do.close')}</button>`}>
            <p>${t(`journal.told.${key.kind}`)}</p>
            ${commandsOf(key, location.hostname).map((command) => html`
                <div class="journal-command">
                    <pre class="scroll" tabindex="0"><code>${command}</code></pre>
                    ${navigator.clipboard && html`<button type="button" class="icon-button" aria-label=${`${t('do.copy')}: ${command}`} onClick=${() => copy(command)}><${Icon} name="copy" /></button>`}
                </div>
            `)}
            <p class="soft small">${t('journal.told.text')}</p>
        <//>
    `;
}

/** @param {{ room: Room, isOn: boolean, addresses: DiaryAddress[], read: () => Promise<void> }} props */
function Addresses({ room, isOn, addresses, read }) {
    // Where the server has no diary, nothing comes from an address; what was claimed before can be given up.
    if (!isOn && addresses.length === 0) return null;
    const claim = async () => {
        if (!(await confirm({ title: t('journal.claim.ask'), text: t('journal.claim.text'), yes: t('journal.claim') }))) return;
        await attempt(async () => {
            const claimed = /** @type {DiaryAddress} */ (await api.post(`/rooms/${room.id}/diary-addresses`, {}));
            say(t('journal.claim.done', { address: claimed.address, when: date(claimed.expires_ms) }));
        });
        await read();
    };
    const release = async (/** @type {string} */ address) => {
        await attempt(() => api.remove(`/diary-addresses/${encodeURIComponent(address)}`));
        await read();
    };
    return html`
        <section class="card section-card" aria-labelledby="journal-claims">
            <h3 id="journal-claims">${t('journal.claims')}</h3>
            <p class="soft">${t('journal.claims.text')}</p>
            <ul class="section-facts">
                ${addresses.map(({ address, room: to, expires_ms: until }) => html`
                    <li key=${address} class="row journal-claim"><span class="grow"><bdi>${address}</bdi> <span class="soft small">${t('journal.claim.until', { room: nameOfRoom(to), when: date(until) })}</span></span>
                        <button type="button" class="button" aria-label=${`${t('journal.release')}: ${address}`} onClick=${() => release(address)}>${t('journal.release')}</button></li>
                `)}
            </ul>
            ${isOn && html`<div><button type="button" class="button" onClick=${claim}>${t('journal.claim')}</button></div>`}
        </section>
    `;
}
