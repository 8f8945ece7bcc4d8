// The devices that are logged in: each is a session, which can be named and ended.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { dateAndTime, shortTime, t } from '../../lang/index.js';
import { Dialog, confirm, open } from '../../parts/dialog.js';
import { Field } from '../../parts/form.js';
import { attempt, say } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { askLogOut } from '../../shell/shell.js';

/** @typedef {import('../../types').Session} Session */

export function Devices() {
    const [sessions, setSessions] = useState(/** @type {Session[] | null} */ (null));
    const [problem, setProblem] = useState('');
    const read = async () => {
        try {
            const all = /** @type {Session[]} */ (await api.get('/sessions'));
            setSessions(all.sort((a, b) => Number(b.current) - Number(a.current) || b.seen_ms - a.seen_ms));
            setProblem('');
        } catch (error) {
            setProblem(message(error));
        }
    };
    useEffect(() => void read(), []);
    if (problem) return html`<p class="notice bad" role="alert">${problem}</p><div><button type="button" class="button" onClick=${read}>${t('do.retry')}</button></div>`;
    if (!sessions) return html`<${Spinner} label=${t('shell.loading')} />`;
    const others = sessions.filter((session) => !session.current);
    const endOthers = async () => {
        if (!(await confirm({ title: t('settings.devices.others.ask'), text: t('settings.devices.others.text', { n: others.length }), yes: t('settings.devices.others'), isDanger: true }))) return;
        await attempt(async () => {
            for (const { id } of others) await end(id);
            say(t('settings.devices.ended'));
        });
        await read();
    };
    return html`
        <p class="soft">${t('settings.devices.text')}</p>
        <ul class="card section-rows" aria-label=${t('settings.devices')}>
            ${sessions.map((session) => html`<${Device} key=${session.id} session=${session} read=${read} />`)}
        </ul>
        ${others.length > 0 && html`<div><button type="button" class="button danger" onClick=${endOthers}>${t('settings.devices.others')}</button></div>`}
    `;
}

/** Ends a session; that it has ended already is as good. @param {string} id */
async function end(id) {
    try {
        await api.remove(`/sessions/${id}`);
    } catch (error) {
        if (!(error instanceof api.ApiError && error.code === 'not_found')) throw error;
    }
}

/** @param {{ session: Session, read: () => Promise<void> }} props */
function Device({ session, read }) {
    const rename = async () => {
        const device = await askDevice(session.device);
        if (!device) return;
        await attempt(() => api.patch(`/sessions/${session.id}`, { device }));
        await read();
    };
    const stop = async () => {
        if (session.current) return askLogOut();
        if (!(await confirm({ title: t('settings.devices.end.ask', { name: session.device }), yes: t('settings.devices.end'), isDanger: true }))) return;
        await attempt(() => end(session.id));
        await read();
    };
    return html`
        <li class="section-row">
            <div class="grow">
                <div class="section-name">${session.device}${session.current && html` <span class="section-tag">${t('settings.devices.this')}</span>`}</div>
                <div class="soft small"><span title=${dateAndTime(session.seen_ms)}>${t('settings.devices.seen', { when: shortTime(session.seen_ms) })}</span> · ${session.address}</div>
            </div>
            <div class="section-deeds">
                <button type="button" class="button" aria-label=${`${t('settings.devices.rename')}: ${session.device}`} onClick=${rename}>${t('settings.devices.rename')}</button>
                <button type="button" class="button danger" aria-label=${`${t('settings.devices.end')}: ${session.device}`} onClick=${stop}>${t('settings.devices.end')}</button>
            </div>
        </li>
    `;
}

/** Asks what to call a device. @param {string} name @returns {Promise<string | undefined>} */
const askDevice = (name) => open(({ close }) => html`<${NameOfDevice} name=${name} close=${close} />`);

/** @param {{ name: string, close: (name?: string) => void }} props */
function NameOfDevice({ name, close }) {
    const [value, setValue] = useState(name);
    return html`
        <${Dialog} title=${t('settings.devices.rename')} close=${() => close()} class="narrow" onSubmit=${() => close(value.trim())} footer=${html`
            <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
            <button class="button primary">${t('do.save')}</button>
        `}><${Field} label=${t('settings.devices.name')} maxlength="100" autofocus autocomplete="off" value=${value} set=${setValue} /><//>
    `;
}
