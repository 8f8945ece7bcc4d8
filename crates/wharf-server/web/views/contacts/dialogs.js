// Questions and forms about contacts.

import * as api from '../../api.js';
import { html, useId, useState } from '../../html.js';
import { t } from '../../lang/index.js';
import { Dialog, open } from '../../parts/dialog.js';
import { say } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';

/** Asks somebody to become a contact. */
export async function addContact() {
    await open(({ close }) => html`<${AddContact} close=${close} />`);
}

/** @param {{ close: () => void }} props */
function AddContact({ close }) {
    const [who, setWho] = useState('');
    const [word, setWord] = useState('');
    const [problem, setProblem] = useState('');
    const ids = [useId(), useId()];
    const submit = async () => {
        try {
            await api.post('/contacts', { who: who.trim(), word: word.trim() });
            say(t('contacts.asked'));
            close();
        } catch (error) {
            setProblem(error instanceof api.ApiError && error.code === 'not_found' ? t('contacts.nobody') : message(error));
        }
    };
    return html`<${Dialog} title=${t('contacts.add')} close=${close} class="narrow" onSubmit=${submit} footer=${html`
        <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button><button class="button primary" disabled=${!who.trim()}>${t('contacts.ask')}</button>`}>
        <div class="field"><label for=${ids[0]}>${t('contacts.who')}</label><input class="input" id=${ids[0]} autofocus value=${who} autocapitalize="none" spellcheck=${false} onInput=${(/** @type {any} */ event) => setWho(event.currentTarget.value)} /></div>
        <div class="field"><label for=${ids[1]}>${t('contacts.word')}</label><input class="input" id=${ids[1]} maxlength="200" value=${word} onInput=${(/** @type {any} */ event) => setWord(event.currentTarget.value)} /></div>
        ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
    <//>`;
}

/** Asks for a line of text; undefined if nothing is wanted. @param {{ title: string, label: string, value?: string, isOptional?: boolean }} question @returns {Promise<string | undefined>} */
export function askText(question) {
    return open(({ close }) => html`<${AskText} ...${question} close=${close} />`);
}

/** @param {{ title: string, label: string, value?: string, isOptional?: boolean, close: (value?: string) => void }} props */
function AskText({ title, label, value: given = '', isOptional = false, close }) {
    const [value, setValue] = useState(given);
    const id = useId();
    return html`<${Dialog} title=${title} close=${() => close()} class="narrow" onSubmit=${() => (value.trim() || isOptional) && close(value.trim())} footer=${html`
        <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button><button class="button primary" disabled=${!value.trim() && !isOptional}>${t('do.save')}</button>`}>
        <div class="field"><label for=${id}>${label}</label><input class="input" id=${id} autofocus maxlength="100" value=${value} onInput=${(/** @type {any} */ event) => setValue(event.currentTarget.value)} /></div>
    <//>`;
}
