// Who is logged in. `me` is the own account, or null; everything that needs an account is begun and ended here.

import * as api from './api.js';
import { signal } from './html.js';

/** @typedef {import('./types').Account} Account */

/** @type {import('./vendor/signals.js').Signal<Account | null>} */
export const me = signal(null);
/** @type {import('./vendor/signals.js').Signal<import('./types').ServerInfo | null>} */
export const server = signal(null);
/** Why there is no account at the moment: 'starting', 'entrance' (log in or sign up), or 'none' where there is one. */
export const state = signal(/** @type {'starting' | 'entrance' | 'in'} */ ('starting'));

const KEY = 'wharf-me';

/** @type {((account: Account) => Promise<void>) | null} */
let begin = null;
/** @type {((isLoggedOut: boolean) => Promise<void>) | null} */
let end = null;

/** Says what begins and ends with a login. @param {{ begin: (account: Account) => Promise<void>, end: (isLoggedOut: boolean) => Promise<void> }} calls */
export function attend(calls) {
    ({ begin, end } = calls);
}

/** Whether somebody was logged in here the last time. */
export const isLikely = () => localStorage.getItem(KEY) !== null;

/** Finds out who is logged in. Without a network it is who was, the last time. */
export async function start() {
    api.onLoggedOut(sessionEnded);
    const [account, info] = await Promise.all([
        api.get('/account').catch(offlineAccount),
        api.get('/server').catch(() => null),
    ]);
    server.value = info;
    if (account) await enter(account);
    else state.value = 'entrance';
}

/** @param {unknown} error */
function offlineAccount(error) {
    if (error instanceof api.ApiError && error.code === 'unauthenticated') return null;
    const kept = localStorage.getItem(KEY);
    return kept ? JSON.parse(kept) : null;
}

/** Done when nothing of the login before is under way any more. @type {Promise<void>} */
let ending = Promise.resolve();

/** @param {Account} account */
async function enter(account) {
    await ending;
    localStorage.setItem(KEY, JSON.stringify(account));
    me.value = account;
    await begin?.(account);
    state.value = 'in';
}

/** The own account has changed. @param {Account} account */
export function changed(account) {
    localStorage.setItem(KEY, JSON.stringify(account));
    me.value = account;
}

/** @param {string} login @param {string} password */
export async function logIn(login, password) {
    const { account } = await api.post('/page/login', { login, password, device: deviceName() });
    await enter(account);
}

/** @param {{ username: string, password: string, nickname?: string, email?: string, code?: string }} signup */
export async function signUp(signup) {
    const { account } = await api.post('/page/signup', { ...signup, device: deviceName() });
    await enter(account);
}

/** Ends the session, and forgets what this browser keeps of the account. */
export async function logOut() {
    await api.post('/logout').catch((error) => {
        if (!(error instanceof api.ApiError)) throw error;
    });
    await leave(true);
}

/** The session has ended without the person's doing. */
export function sessionEnded() {
    if (state.value === 'in') void leave(false);
}

/** @param {boolean} isLoggedOut whether the person wanted it, and nothing is to be kept */
async function leave(isLoggedOut) {
    state.value = 'entrance';
    localStorage.removeItem(KEY);
    ending = (end?.(isLoggedOut) ?? Promise.resolve()).catch((error) => console.error(error)).then(() => {
        me.value = null;
    });
    await ending;
    server.value = await api.get('/server').catch(() => null);
}

/** What to call this browser in the list of sessions. */
function deviceName() {
    const agent = navigator.userAgent;
    const browsers = [['Edg/', 'Edge'], ['OPR/', 'Opera'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari']];
    const systems = [['Android', 'Android'], ['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Windows', 'Windows'], ['Mac OS', 'macOS'], ['Linux', 'Linux']];
    const find = (/** @type {string[][]} */ names) => names.find(([sign]) => agent.includes(sign))?.[1];
    return [find(browsers) ?? 'Browser', find(systems)].filter(Boolean).join(', ');
}
