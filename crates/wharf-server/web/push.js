// Notices by Web Push: this browser's subscription, what the service worker needs of the page, and taking away what was read.
//
// A subscription belongs to the session. Whether this browser is to have one is remembered beside it, for the account, so that a browser
// that logs in again, or whose push service gave it another address, has it again without a question.

import * as api from './api.js';
import { effect, signal } from './html.js';
import { language, t } from './lang/index.js';
import { go, to } from './router.js';
import { rooms } from './store/model.js';

/** The account that this browser is told for. */
const WANTED = 'wharf-push';
/** Where the texts are that the service worker shows. */
const TEXTS = 'push-texts';

/**
 * Why notices are off, or that they are on: the address is not encrypted, the browser has none, the server sends none, the person told the
 * browser to refuse them, or did not ask for them.
 * @typedef {'unknown' | 'insecure' | 'unsupported' | 'server' | 'denied' | 'off' | 'on'} State
 */
export const state = signal(/** @type {State} */ ('unknown'));
/** Whether notices say neither who wrote, nor where, nor what. */
export const hidesContent = signal(false);

/** @type {string} */
let account = '';

/** The push service could not be had. */
export class PushServiceError extends Error {}

/** What keeps this browser from notices whatever anybody wants. @returns {State | null} */
function obstacle() {
    if (!isSecureContext) return 'insecure';
    if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return 'unsupported';
    return Notification.permission === 'denied' ? 'denied' : null;
}

/** Begins for an account. @param {string} id */
export async function begin(id) {
    account = id;
    if (obstacle() || localStorage.getItem(WANTED) !== id || Notification.permission !== 'granted') return;
    // Nobody asked for it just now: that it fails is seen in the settings.
    await look().catch((error) => console.warn('cannot look at the notices', error));
}

/** Ends. Who logged out is told nothing here any more. @param {boolean} isLoggedOut */
export async function end(isLoggedOut) {
    account = '';
    state.value = 'unknown';
    if (!isLoggedOut || obstacle()) return;
    localStorage.removeItem(WANTED);
    await takeAway(() => true);
    const subscription = await ownSubscription().catch(() => null);
    await subscription?.unsubscribe().catch(() => false);
}

/** Finds out how it stands, and mends what can be mended without a question. */
export async function look() {
    const found = obstacle();
    if (found) {
        state.value = found;
        return;
    }
    /** @type {import('./types').Push} */
    const push = await api.get('/push');
    if (!push.key) {
        state.value = 'server';
        return;
    }
    const subscription = await ownSubscription();
    const isWanted = localStorage.getItem(WANTED) === account && Notification.permission === 'granted';
    if (push.subscription) hidesContent.value = push.subscription.hides_content;
    const isRight = subscription !== null && push.subscription?.endpoint === subscription.endpoint && isFor(subscription, push.key);
    if (isWanted && !isRight) await subscribe(push.key);
    state.value = isWanted ? 'on' : 'off';
}

/** Turns notices on. Call it for a click: the browser may ask the person. */
export async function turnOn() {
    const permission = await Notification.requestPermission();
    if (permission !== 'granted') {
        state.value = obstacle() ?? 'off';
        return;
    }
    /** @type {import('./types').Push} */
    const push = await api.get('/push');
    if (!push.key) {
        state.value = 'server';
        return;
    }
    await subscribe(push.key);
    localStorage.setItem(WANTED, account);
    state.value = 'on';
}

/** Turns notices off, here and at the server. */
export async function turnOff() {
    localStorage.removeItem(WANTED);
    state.value = obstacle() ?? 'off';
    await api.remove('/push/subscription');
    const subscription = await ownSubscription();
    await subscription?.unsubscribe();
    await takeAway(() => true);
}

/** @param {boolean} hides */
export async function setHidesContent(hides) {
    const subscription = await ownSubscription();
    if (subscription) await tell(subscription, hides);
    hidesContent.value = hides;
}

/** @param {string} key */
async function subscribe(key) {
    const { pushManager } = await worker();
    let subscription = await pushManager.getSubscription();
    if (subscription && !isFor(subscription, key)) {
        await subscription.unsubscribe();
        subscription = null;
    }
    try {
        subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    } catch (error) {
        throw new PushServiceError('no push service', { cause: error });
    }
    await tell(subscription, hidesContent.value);
}

/** @param {PushSubscription} subscription @param {boolean} hides */
async function tell(subscription, hides) {
    const { endpoint, keys } = subscription.toJSON();
    await api.put('/push/subscription', { endpoint, p256dh: keys?.p256dh, auth: keys?.auth, hides_content: hides });
}

async function worker() {
    await navigator.serviceWorker.register('/sw.js');
    return navigator.serviceWorker.ready;
}

async function ownSubscription() {
    const registration = await navigator.serviceWorker.getRegistration();
    return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Whether a subscription is for the server of this key. @param {PushSubscription} subscription @param {string} key */
function isFor(subscription, key) {
    const bound = subscription.options.applicationServerKey;
    if (!bound) return false;
    const text = btoa(String.fromCharCode(...new Uint8Array(bound)));
    return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key;
}

/** Takes notifications away. @param {(about: { room: string, position: number }) => boolean} isOver */
async function takeAway(isOver) {
    const registration = await navigator.serviceWorker.getRegistration();
    const shown = (await registration?.getNotifications()) ?? [];
    for (const notification of shown) if (notification.data?.room && isOver(notification.data)) notification.close();
}

// What was read, here or on another device, is no news; nor is what was said in a room that one is no member of.
effect(() => {
    const known = rooms.value;
    if (known.size === 0 || obstacle() || Notification.permission !== 'granted') return;
    void takeAway(({ room, position }) => (known.get(room)?.read ?? Infinity) >= position);
});

// The service worker has no texts of its own.
effect(() => {
    const texts = { hidden: t('push.hidden'), language: language.value };
    if (!('caches' in window) || texts.hidden === 'push.hidden') return;
    void caches.open(TEXTS).then((kept) => kept.put('/push-texts', Response.json(texts))).catch(() => {});
});

// A notification was clicked, and this tab is the one that shows what it is about.
navigator.serviceWorker?.addEventListener('message', ({ data }) => {
    if (data?.type === 'open' && typeof data.room === 'string') go(to('c', data.room));
});
