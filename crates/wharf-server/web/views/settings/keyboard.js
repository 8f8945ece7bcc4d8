// The keyboard: what sends a message, and the shortcuts, which can be changed.

import { html, useEffect, useRef, useState } from '../../html.js';
import { addTexts, t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { me } from '../../session.js';
import { showHelp } from '../../shell/help.js';
import { EVERYWHERE, hasOwnKeys, isFree, keysOf, pressed, resetKeys, setKeys, shown } from '../../shell/keys.js';
import { isEnterSending, setEnterSending } from '../conversations/send-keys.js';
import { viewsFor } from '../index.js';
import { Choice } from './appearance.js';

/** @typedef {import('../../shell/keys.js').Key} Key */

/** Keys in a sentence. @param {string} keys */
const written = (keys) => shown(keys).join('+');

export function Keyboard() {
    const account = me.value;
    const views = account ? viewsFor(account).filter(({ keys }) => keys) : [];
    const [said, setSaid] = useState({ text: '', isBad: false });
    // What the shortcuts do is among the texts of their views, which may not have been opened.
    const [, show] = useState(0);
    useEffect(() => {
        void Promise.all(views.map(({ texts }) => texts && addTexts(texts))).then(() => show(1), () => {});
    }, []);
    const groups = [EVERYWHERE, ...views.flatMap(({ keys }) => keys ?? [])];
    const all = groups.flatMap(({ keys }) => keys);

    /** @param {Key} key @param {string} keys */
    const take = (key, keys) => {
        const other = all.find((known) => known.text !== key.text && keysOf(known).toLowerCase() === keys.toLowerCase());
        if (!isFree(keys)) setSaid({ text: t('settings.keys.needs', { keys: written(keys) }), isBad: true });
        else if (other) setSaid({ text: t('settings.keys.taken', { keys: written(keys), name: t(other.text) }), isBad: true });
        else {
            setKeys({ [key.text]: keys.toLowerCase() === key.keys.toLowerCase() ? null : keys });
            setSaid({ text: t('settings.keys.set', { name: t(key.text), keys: written(keys) }), isBad: false });
        }
    };
    return html`
        <${Choice} name="send" title=${t('settings.send')} value=${isEnterSending() ? 'enter' : 'ctrl'} choose=${(/** @type {string} */ id) => setEnterSending(id === 'enter')}
            choices=${[['enter', t('settings.send.enter')], ['ctrl', t('settings.send.ctrl', { keys: written('Ctrl+Enter') })]]} />
        <p class="soft">${t('settings.keyboard.text')}</p>
        <div class="row settings-keys-foot">
            <button type="button" class="button" onClick=${showHelp}><${Icon} name="keyboard" />${t('shell.help')}</button>
            ${hasOwnKeys() && html`<button type="button" class="button" onClick=${() => { resetKeys(); setSaid({ text: '', isBad: false }); }}>${t('settings.keys.reset')}</button>`}
        </div>
        <p role="status" class=${said.text ? `notice ${said.isBad ? 'bad' : ''}` : ''}>${said.text}</p>
        ${groups.map((group) => html`
            <section class="card section-card" key=${group.title} aria-labelledby=${`keys-${group.title}`}>
                <h3 id=${`keys-${group.title}`}>${t(group.title)}</h3>
                <ul class="settings-keys">${group.keys.map((key) => html`<${Row} key=${key.text} shortcut=${key} take=${(/** @type {string} */ keys) => take(key, keys)} />`)}</ul>
            </section>
        `)}
    `;
}

/** @param {{ shortcut: Key, take: (keys: string) => void }} props */
function Row({ shortcut, take }) {
    const [isHearing, setHearing] = useState(false);
    const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
    const keys = keysOf(shortcut);
    const name = t(shortcut.text);
    const hear = (/** @type {KeyboardEvent} */ event) => {
        if (!isHearing) return;
        if (event.key === 'Tab') {
            setHearing(false);
            return;
        }
        event.preventDefault();
        event.stopPropagation();
        const heard = pressed(event);
        if (heard === '') return;
        setHearing(false);
        if (event.key !== 'Escape') take(heard);
    };
    return html`
        <li class="row">
            <span class="grow">${name}</span>
            ${keys !== shortcut.keys && html`<button type="button" class="icon-button" aria-label=${t('settings.keys.default', { keys: written(shortcut.keys), name })} title=${t('settings.keys.default', { keys: written(shortcut.keys), name })}
                onClick=${() => { take(shortcut.keys); button.current?.focus(); }}><${Icon} name="close" /></button>`}
            <button type="button" class="button settings-key" ref=${button} aria-label=${isHearing ? t('settings.keys.press') : `${t('settings.keys.change', { name })}, ${written(keys)}`} aria-pressed=${String(isHearing)}
                onClick=${() => setHearing(true)} onKeyDown=${hear} onBlur=${() => setHearing(false)}>
                ${isHearing ? t('settings.keys.press') : shown(keys).map((part, index) => html`${index > 0 && ' '}<kbd>${part}</kbd>`)}</button>
        </li>
    `;
}
