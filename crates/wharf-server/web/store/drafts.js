// What was typed and not sent: kept here at once, so that it is there after a reload, and on the server after a while, for the person's other devices.

import * as api from '../api.js';
import { signal } from '../html.js';
import { collections } from './model.js';

const STORED = 'wharf-drafts';
const PAUSE_MS = 1500;

/** @type {Record<string, string>} */
let kept = {};
try {
    kept = JSON.parse(localStorage.getItem(STORED) ?? '{}');
} catch {
    // Not ours, or no storage.
}

/** Drafts by room, for lists. @type {import('../vendor/signals.js').Signal<Readonly<Record<string, string>>>} */
export const drafts = signal(kept);
/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const timers = new Map();

/** The draft of a room: this device's, or else what another one left. @param {string} room */
export const draftOf = (room) => drafts.peek()[room] ?? collections.rooms.map.get(room)?.preferences.draft ?? '';

/** @param {string} room @param {string} text */
export function setDraft(room, text) {
    drafts.value = { ...drafts.value, [room]: text };
    try {
        localStorage.setItem(STORED, JSON.stringify(drafts.value));
    } catch {
        // It is in memory, and on the server in a moment.
    }
    clearTimeout(timers.get(room));
    timers.set(room, setTimeout(() => {
        const before = collections.rooms.map.get(room)?.preferences.draft ?? '';
        if (before !== text) api.patch(`/rooms/${room}/preferences`, { draft: text }).catch(() => {});
    }, PAUSE_MS));
}

/** Forgets all, at a log-out. */
export function clearDrafts() {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
    drafts.value = {};
    localStorage.removeItem(STORED);
}
