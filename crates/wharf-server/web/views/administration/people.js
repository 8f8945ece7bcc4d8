// The people of the server: all accounts, by number, and what an operator does to them.

import * as api from '../../api.js';
import { html, useEffect, useMemo, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { confirm } from '../../parts/dialog.js';
import { showSecret } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { openMenu } from '../../parts/menu.js';
import { attempt } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { VirtualList } from '../../parts/virtual.js';
import { me } from '../../session.js';
import { addPerson, askQuota } from './dialogs.js';

/** @typedef {import('../../types').Account} Account */

const PAGE = 1000;

/** All accounts, page after page. @param {AbortSignal} signal @param {(accounts: Account[]) => void} show */
async function readAll(signal, show) {
    /** @type {Account[]} */
    let all = [];
    /** @type {number | undefined} */
    let after;
    do {
        const page = /** @type {import('../../types').Accounts} */ (await api.get('/admin/accounts', { limit: PAGE, after }, signal));
        all = [...all, ...page.items];
        after = page.next;
        show(all);
    } while (after !== undefined);
}

export function People() {
    const [accounts, setAccounts] = useState(/** @type {Account[] | null} */ (null));
    const [problem, setProblem] = useState('');
    const [text, setText] = useState('');
    const wanted = text.trim().toLocaleLowerCase();
    const shown = useMemo(() => (accounts ?? []).filter((account) => fits(account, wanted)), [accounts, wanted]);
    useEffect(() => {
        const stop = new AbortController();
        readAll(stop.signal, setAccounts).catch((error) => {
            if (!stop.signal.aborted) setProblem(message(error));
        });
        return () => stop.abort();
    }, []);
    const put = (/** @type {Account} */ account) => setAccounts((all) => (all ?? []).map((one) => (one.id === account.id ? account : one)));
    const add = async () => {
        const added = await addPerson();
        if (!added) return;
        setAccounts((all) => [...(all ?? []), added.account].sort((a, b) => a.number - b.number));
        if (added.password) await tell(added.account, added.password);
    };
    return html`
        <div class="administration-bar">
            <label class="search-box grow"><${Icon} name="search" /><span class="sr-only">${t('administration.people.search')}</span>
                <input type="search" placeholder=${t('do.search')} autocomplete="off" value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} /></label>
            <button type="button" class="button primary" onClick=${add}><${Icon} name="plus" />${t('administration.people.add')}</button>
        </div>
        ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
        ${!accounts ? !problem && html`<div class="empty"><${Spinner} label=${t('shell.loading')} /></div>` : html`
            <p class="administration-count soft small" role="status">${t('administration.people.count', { n: shown.length })}</p>
            <${VirtualList} class="administration-people" role="list" aria-label=${t('administration.people')} count=${shown.length} guess=${64}
                keyOf=${(/** @type {number} */ index) => shown[index].id}
                render=${(/** @type {number} */ index) => html`<${Person} account=${shown[index]} index=${index} count=${shown.length} put=${put} />`} />
        `}
    `;
}

/** @param {Account} account @param {string} wanted */
function fits(account, wanted) {
    return [account.username, account.nickname, account.email ?? '', String(account.number)].some((text) => text.toLocaleLowerCase().includes(wanted));
}

/** Tells a password that the server chose. @param {Account} account @param {string} secret */
const tell = (account, secret) => showSecret({ title: t('administration.people.told', { name: account.username }), text: t('administration.people.told.text'), secret });

/** @param {{ account: Account, index: number, count: number, put: (account: Account) => void }} props */
function Person({ account, index, count, put }) {
    const edit = (/** @type {import('../../types').EditAccount} */ change) => attempt(async () => {
        const edited = /** @type {import('../../types').AddedAccount} */ (await api.patch(`/admin/accounts/${account.id}`, change));
        put(edited.account);
        return edited;
    });
    const lock = async () => {
        if (!(await confirm({ title: t('administration.people.lock.ask', { name: account.username }), text: t('administration.people.lock.text'), yes: t('administration.people.lock'), isDanger: true }))) return;
        await edit({ locked: true });
    };
    const reset = async () => {
        if (!(await confirm({ title: t('administration.people.reset.ask', { name: account.username }), text: t('administration.people.reset.text'), yes: t('administration.people.reset'), isDanger: true }))) return;
        const edited = await edit({ reset_password: true });
        if (edited?.password) await tell(account, edited.password);
    };
    const quota = async () => {
        const bytes = await askQuota(account);
        if (bytes !== undefined) await edit({ quota_bytes: bytes });
    };
    const isMine = account.id === me.value?.id;
    const menu = (/** @type {MouseEvent} */ event) => openMenu(/** @type {Element} */ (event.currentTarget), [
        { label: t('administration.people.quota'), icon: 'drive', run: quota },
        { label: t('administration.people.reset'), icon: 'lock', isDisabled: isMine, run: reset },
        account.locked
            ? { label: t('administration.people.unlock'), icon: 'check', run: () => void edit({ locked: false }) }
            : { label: t('administration.people.lock'), icon: 'close', isDanger: true, isDisabled: isMine, run: lock },
    ], { label: account.username });
    return html`
        <div class="administration-person" role="listitem" aria-posinset=${index + 1} aria-setsize=${count}>
            <${Avatar} id=${account.id} name=${account.nickname} />
            <div class="grow">
                <div class="section-name">${account.nickname}
                    ${account.role === 'operator' && html` <span class="section-tag">${t('administration.people.operator')}</span>`}
                    ${account.locked && html` <span class="section-tag administration-locked">${t('administration.people.locked')}</span>`}
                </div>
                <div class="soft small">${account.username} · ${String(account.number)}${account.email && ` · ${account.email}`}</div>
                <div class="soft small">${t('administration.people.used', { used: size(account.used_bytes), all: size(account.quota_bytes) })}</div>
            </div>
            <button type="button" class="icon-button" aria-haspopup="menu" aria-expanded="false" aria-label=${`${t('do.more')}: ${account.username}`} onClick=${menu}><${Icon} name="more" /></button>
        </div>
    `;
}
