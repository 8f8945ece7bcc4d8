// Passwords for gateways: what clients of older systems log in with, for their protocols show the network what they are given.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { date, t } from '../../lang/index.js';
import { confirm } from '../../parts/dialog.js';
import { showSecret } from '../../parts/form.js';
import { attempt } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';

/** @typedef {import('../../types').AppPassword} AppPassword */
/** @typedef {import('../../types').AppDoor} AppDoor */

/** @type {AppDoor[]} */
const DOORS = ['netdisk', 'pychat'];

export function Gateways() {
    const [passwords, setPasswords] = useState(/** @type {AppPassword[] | null} */ (null));
    const [problem, setProblem] = useState('');
    const read = async () => {
        try {
            setPasswords(await api.get('/account/app-passwords'));
            setProblem('');
        } catch (error) {
            setProblem(message(error));
        }
    };
    useEffect(() => void read(), []);
    if (problem) return html`<p class="notice bad" role="alert">${problem}</p><div><button type="button" class="button" onClick=${read}>${t('do.retry')}</button></div>`;
    if (!passwords) return html`<${Spinner} label=${t('shell.loading')} />`;
    return html`
        <p class="soft">${t('settings.gateways.text')}</p>
        <ul class="card section-rows" aria-label=${t('settings.gateways')}>
            ${DOORS.map((door) => html`<${Gateway} key=${door} door=${door} password=${passwords.find((password) => password.door === door)} read=${read} />`)}
        </ul>
    `;
}

/** @param {{ door: AppDoor, password?: AppPassword, read: () => Promise<void> }} props */
function Gateway({ door, password, read }) {
    const name = t(`settings.gateways.${door}`);
    const make = async () => {
        if (password && !(await confirm({ title: t('settings.gateways.again.ask', { name }), text: t('settings.gateways.again.text'), yes: t('settings.gateways.again') }))) return;
        const made = await attempt(() => api.post('/account/app-passwords', { door }));
        await read();
        if (made?.password) await showSecret({ title: name, text: t('settings.gateways.told'), secret: made.password });
    };
    const remove = async () => {
        if (!(await confirm({ title: t('settings.gateways.remove.ask', { name }), text: t('settings.gateways.again.text'), yes: t('settings.gateways.remove'), isDanger: true }))) return;
        await attempt(() => api.remove(`/account/app-passwords/${door}`));
        await read();
    };
    return html`
        <li class="section-row">
            <div class="grow">
                <div class="section-name">${name}</div>
                <div class="soft small">${state(password)}</div>
            </div>
            <div class="section-deeds">
                <button type="button" class="button" aria-label=${`${name}: ${t(password ? 'settings.gateways.again' : 'settings.gateways.make')}`} onClick=${make}>${t(password ? 'settings.gateways.again' : 'settings.gateways.make')}</button>
                ${password && html`<button type="button" class="button danger" aria-label=${`${name}: ${t('settings.gateways.remove')}`} onClick=${remove}>${t('settings.gateways.remove')}</button>`}
            </div>
        </li>
    `;
}

/** @param {AppPassword | undefined} password */
function state(password) {
    if (!password) return t('settings.gateways.none');
    const made = t('settings.gateways.made', { when: date(password.created_ms) });
    return `${made} · ${password.used_ms ? t('settings.gateways.used', { when: date(password.used_ms) }) : t('settings.gateways.unused')}`;
}
