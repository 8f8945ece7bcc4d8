// What an operator is asked: whom to add, how much room somebody has, for whom an invitation is.

import * as api from '../../api.js';
import { html, useState } from '../../html.js';
import { t } from '../../lang/index.js';
import { Dialog, open } from '../../parts/dialog.js';
import { Field, useWork } from '../../parts/form.js';

const GIB = 2 ** 30;
const DAY_SECONDS = 86_400;

/** Adds somebody. @returns {Promise<import('../../types').AddedAccount | undefined>} */
export const addPerson = () => open(({ close }) => html`<${AddPerson} close=${close} />`);
/** Asks for a quota, in bytes. @param {import('../../types').Account} account @returns {Promise<number | undefined>} */
export const askQuota = (account) => open(({ close }) => html`<${Quota} account=${account} close=${close} />`);
/** Makes an invitation. @returns {Promise<import('../../types').Invitation | undefined>} */
export const invite = () => open(({ close }) => html`<${Invite} close=${close} />`);

/** @param {{ isBusy?: boolean, yes: string, close: () => void }} props */
const Buttons = ({ isBusy = false, yes, close }) => html`
    <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
    <button class="button primary" disabled=${isBusy}>${yes}</button>
`;

/** @param {{ close: (added?: import('../../types').AddedAccount) => void }} props */
function AddPerson({ close }) {
    const [username, setUsername] = useState('');
    const [nickname, setNickname] = useState('');
    const [email, setEmail] = useState('');
    const [quota, setQuota] = useState('');
    const [isOperator, setOperator] = useState(false);
    const { isBusy, problem, run } = useWork(async () => close(await api.post('/admin/accounts', {
        username: username.trim(),
        nickname: nickname.trim() || undefined,
        email: email.trim() || undefined,
        quota_bytes: quota ? Math.round(Number(quota) * GIB) : undefined,
        role: isOperator ? 'operator' : 'member',
    })));
    return html`
        <${Dialog} title=${t('administration.people.add')} close=${() => close()} onSubmit=${run} footer=${html`<${Buttons} isBusy=${isBusy} yes=${t('administration.people.add.go')} close=${() => close()} />`}>
            <p class="soft">${t('administration.people.add.text')}</p>
            <${Field} label=${t('entrance.username')} hint=${t('entrance.username.hint')} autocomplete="off" autofocus pattern="[A-Za-z][A-Za-z0-9._\\-]*" maxlength="32" value=${username} set=${setUsername} />
            <${Field} label=${t('entrance.nickname')} autocomplete="off" maxlength="100" isOptional value=${nickname} set=${setNickname} />
            <${Field} label=${t('administration.people.email')} type="email" autocomplete="off" maxlength="254" isOptional value=${email} set=${setEmail} />
            <${Field} label=${t('administration.quota')} hint=${t('administration.quota.hint')} type="number" min="0" step="any" inputmode="decimal" isOptional value=${quota} set=${setQuota} />
            <label class="administration-check"><input type="checkbox" checked=${isOperator} onChange=${(/** @type {any} */ event) => setOperator(event.currentTarget.checked)} />${t('administration.people.operator.make')}</label>
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
        <//>
    `;
}

/** @param {{ account: import('../../types').Account, close: (bytes?: number) => void }} props */
function Quota({ account, close }) {
    const [value, setValue] = useState(String(Math.round((account.quota_bytes / GIB) * 1000) / 1000));
    return html`
        <${Dialog} title=${t('administration.quota.of', { name: account.username })} close=${() => close()} class="narrow" onSubmit=${() => close(Math.round(Number(value) * GIB))}
            footer=${html`<${Buttons} yes=${t('do.save')} close=${() => close()} />`}>
            <${Field} label=${t('administration.quota')} type="number" min="0" step="any" inputmode="decimal" autofocus autocomplete="off" value=${value} set=${setValue} />
            <p class="soft small">${t('administration.quota.text')}</p>
        <//>
    `;
}

/** @param {{ close: (made?: import('../../types').Invitation) => void }} props */
function Invite({ close }) {
    const [uses, setUses] = useState('1');
    const [days, setDays] = useState('7');
    const { isBusy, problem, run } = useWork(async () => close(await api.post('/invitations', { uses: Number(uses), expires_seconds: Number(days) * DAY_SECONDS })));
    return html`
        <${Dialog} title=${t('administration.invitations.make')} close=${() => close()} class="narrow" onSubmit=${run} footer=${html`<${Buttons} isBusy=${isBusy} yes=${t('administration.invitations.make.go')} close=${() => close()} />`}>
            <${Field} label=${t('administration.invitations.uses')} type="number" min="1" max="1000" step="1" autofocus autocomplete="off" value=${uses} set=${setUses} />
            <${Field} label=${t('administration.invitations.days')} type="number" min="1" max="365" step="1" autocomplete="off" value=${days} set=${setDays} />
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
        <//>
    `;
}
