// What was typed and not sent: kept here at once, so that it is there after a reload, and on the server after a while, for the person's other devices.

import * as api from '../api.js';
import { signal } from '../html.js';
import { collections } from './model.js';

/** Where drafts were kept without saying whose they are. */
const OLD = 'wharf-drafts';
const PAUSE_MS = 1500;

/** Whose drafts these are; empty as long as nobody is logged in. */
let account = '';
/** Whether the browser takes them. */
let isStored = true;
/** @param {string} id of an account */
const keyOf = (id) => `wharf-drafts-${id}`;

/** Drafts by room, for lists. @type {import('../vendor/signals.js').Signal<Readonly<Record<string, string>>>} */
export const drafts = signal({});
/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const timers = new Map();

/** The draft of a room: this device's, or else what another one left. @param {string} room */
export const draftOf = (room) => drafts.peek()[room] ?? collections.rooms.map.get(room)?.preferences.draft ?? '';

/** What this tab and the others have kept, or what is in memory where nothing can be kept. @returns {Readonly<Record<string, string>>} */
function stored() {
    try {
        return isStored ? JSON.parse(localStorage.getItem(keyOf(account)) ?? '{}') : drafts.peek();
    } catch {
        // Not ours, or no storage.
        return drafts.peek();
    }
}

/** Begins with what an account left here. @param {string} id */
export function beginDrafts(id) {
    account = id;
    drafts.value = {};
    drafts.value = stored();
    try {
        localStorage.removeItem(OLD);
    } catch {
        // There is none.
    }
}

/** @param {string} room @param {string} text */
export function setDraft(room, text) {
    if (!account) return;
    // Other tabs may have written a moment ago: no more than this room's is changed.
    drafts.value = { ...stored(), [room]: text };
    try {
        localStorage.setItem(keyOf(account), JSON.stringify(drafts.value));
        isStored = true;
    } catch {
        // It is in memory, and on the server in a moment.
        isStored = false;
    }
    clearTimeout(timers.get(room));
    timers.set(room, setTimeout(() => {
        const before = collections.rooms.map.get(room)?.preferences.draft ?? '';
        if (before !== text) api.patch(`/rooms/${room}/preferences`, { draft: text }).catch(() => {});
    }, PAUSE_MS));
}

function stopTimers() {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
}

// Another tab has written, or, where nothing is left, logged out.
addEventListener('storage', (event) => {
    if (!account || (event.key !== null && event.key !== keyOf(account))) return;
    if (event.newValue === null) stopTimers();
    drafts.value = stored();
});

/** Ends. They stay for the next login of the same person, unless that was a log-out: it may come when the session has ended already. @param {string} id @param {boolean} isLoggedOut */
export function endDrafts(id, isLoggedOut) {
    stopTimers();
    drafts.value = {};
    account = '';
    if (isLoggedOut) localStorage.removeItem(keyOf(id));
}
