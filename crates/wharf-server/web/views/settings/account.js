// The own account: what others see of it, what it is called, and its password.

import * as api from '../../api.js';
import { html, useState } from '../../html.js';
import { date, size, t } from '../../lang/index.js';
import { Field, Password, useWork } from '../../parts/form.js';
import { say } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { changed, me } from '../../session.js';

export function Account() {
    const account = me.value;
    if (!account) return null;
    return html`
        <${Profile} key=${account.id} account=${account} />
        <section class="card section-card" aria-labelledby="settings-facts">
            <h3 id="settings-facts">${t('settings.facts')}</h3>
            <dl class="section-facts">
                <${Fact} name=${t('settings.number')} value=${String(account.number)} />
                <${Fact} name=${t('settings.username')} value=${account.username} />
                <${Fact} name=${t('settings.email')} value=${account.email ?? t('settings.email.none')} />
                <${Fact} name=${t('settings.quota')} value=${size(account.quota_bytes)} />
                <${Fact} name=${t('settings.since')} value=${date(account.created_ms)} />
            </dl>
            <p class="soft small">${t('settings.facts.hint')}</p>
        </section>
        <${NewPassword} username=${account.username} />
    `;
}

/** @param {{ name: string, value: string }} props */
const Fact = ({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;

/** @param {{ account: import('../../types').Account }} props */
function Profile({ account }) {
    const [nickname, setNickname] = useState(account.nickname);
    const [status, setStatus] = useState(account.status_text ?? '');
    const { isBusy, problem, run } = useWork(async () => {
        changed(await api.patch('/account', { nickname: nickname.trim(), status_text: status.trim() }));
        say(t('settings.saved'));
    });
    return html`
        <section class="card section-card" aria-labelledby="settings-profile">
            <h3 id="settings-profile">${t('settings.profile')}</h3>
            <form class="column" onSubmit=${run}>
                <${Field} label=${t('settings.nickname')} name="nickname" autocomplete="nickname" maxlength="100" value=${nickname} set=${setNickname} />
                <${Field} label=${t('settings.status')} hint=${t('settings.status.hint')} name="status" autocomplete="off" maxlength="200" isOptional value=${status} set=${setStatus} />
                ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
                <div><button class="button primary" disabled=${isBusy}>${t('do.save')}</button></div>
            </form>
        </section>
    `;
}

/** @param {unknown} error */
const badPassword = (error) => (error instanceof api.ApiError && error.code === 'denied' ? t('settings.password.bad') : message(error));

/** @param {{ username: string }} props */
function NewPassword({ username }) {
    const [current, setCurrent] = useState('');
    const [next, setNext] = useState('');
    const { isBusy, problem, run } = useWork(async () => {
        await api.post('/password', { current, new: next });
        setCurrent('');
        setNext('');
        say(t('settings.password.changed'));
    }, badPassword);
    return html`
        <section class="card section-card" aria-labelledby="settings-password">
            <h3 id="settings-password">${t('settings.password')}</h3>
            <p class="soft">${t('settings.password.text')}</p>
            <form class="column" onSubmit=${run}>
                <input class="sr-only" type="text" name="username" autocomplete="username" value=${username} readonly tabindex="-1" aria-hidden="true" />
                <${Password} label=${t('settings.password.current')} autocomplete="current-password" value=${current} set=${setCurrent} />
                <${Password} label=${t('settings.password.new')} hint=${t('entrance.password.hint')} autocomplete="new-password" minlength="8" value=${next} set=${setNext} />
                ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
                <div><button class="button primary" disabled=${isBusy}>${t('settings.password.change')}</button></div>
            </form>
        </section>
    `;
}
