// What forms are made of: fields with a label and a hint, passwords that can be shown, and work that is done once at a time.

import { html, useId, useState } from '../html.js';
import { t } from '../lang/index.js';
import { Dialog, open } from './dialog.js';
import { Icon } from './icon.js';
import { attempt, say } from './notice.js';
import { message } from './problem.js';

/**
 * Runs a form's work: once at a time, and says what went wrong.
 * @param {() => Promise<void>} work
 * @param {(error: unknown) => string} [words] what an error is called here
 */
export function useWork(work, words = message) {
    const [isBusy, setBusy] = useState(false);
    const [problem, setProblem] = useState('');
    const run = async (/** @type {Event} */ event) => {
        event.preventDefault();
        if (isBusy) return;
        setBusy(true);
        setProblem('');
        try {
            await work();
        } catch (error) {
            setProblem(words(error));
        }
        setBusy(false);
    };
    return { isBusy, problem, run };
}

/** @param {{ label: string, hint?: string, value: string, set: (value: string) => void, isOptional?: boolean, [name: string]: any }} props */
export function Field({ label, hint, value, set, isOptional = false, ...rest }) {
    const id = useId();
    return html`
        <div class="field">
            <label for=${id}>${label}</label>
            <input class="input" id=${id} value=${value} required=${!isOptional} spellcheck=${false} autocapitalize="none" aria-describedby=${hint ? `${id}-hint` : undefined}
                onInput=${(/** @type {any} */ event) => set(event.currentTarget.value)} ...${rest} />
            ${hint && html`<span class="hint" id=${`${id}-hint`}>${hint}</span>`}
        </div>
    `;
}

/** @param {{ label: string, hint?: string, value: string, set: (value: string) => void, [name: string]: any }} props */
export function Password({ label, hint, value, set, ...rest }) {
    const id = useId();
    const [isShown, show] = useState(false);
    return html`
        <div class="field">
            <label for=${id}>${label}</label>
            <span class="password-box">
                <input class="input" id=${id} name="password" type=${isShown ? 'text' : 'password'} value=${value} required aria-describedby=${hint ? `${id}-hint` : undefined}
                    onInput=${(/** @type {any} */ event) => set(event.currentTarget.value)} ...${rest} />
                <button type="button" class="icon-button" aria-label=${t('entrance.password.show')} aria-pressed=${String(isShown)} onClick=${() => show(!isShown)}><${Icon} name="eye" /></button>
            </span>
            ${hint && html`<span class="hint" id=${`${id}-hint`}>${hint}</span>`}
        </div>
    `;
}

/** Shows a secret that the server tells only once. @param {{ title: string, text: string, secret: string }} told */
export function showSecret({ title, text, secret }) {
    const copy = () => attempt(async () => {
        await navigator.clipboard.writeText(secret);
        say(t('said.copied'));
    });
    return open(({ close }) => html`
        <${Dialog} title=${title} close=${close} class="narrow" footer=${html`
            ${navigator.clipboard && html`<button type="button" class="button" onClick=${copy}><${Icon} name="copy" />${t('do.copy')}</button>`}
            <button type="button" class="button primary" onClick=${() => close()}>${t('do.close')}</button>
        `}>
            <p>${text}</p>
            <output class="secret notice">${secret}</output>
        <//>
    `);
}
