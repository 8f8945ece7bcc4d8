// What is to be sent. It is written to the disk with its number before anything else happens, and shown from then on; the tab that has
// the connection sends it, again and again, until it is answered. docs/protocol/live.md has the rules.

import { computed, signal } from '../html.js';
import { newId } from '../id.js';
import { result, transact } from './db.js';
import { collections } from './model.js';

/** @typedef {import('../types').Draft} Draft */

/**
 * @typedef {object} Item
 * @property {number} id in the order of sending
 * @property {string} room
 * @property {Draft} draft
 * @property {number} client_ms
 * @property {string} device
 * @property {number} number the device's number for it
 * @property {'waiting' | 'refused' | 'sent'} state what was sent stays until its entry has come
 * @property {string} [code] why it was refused
 * @property {string} [detail]
 * @property {number} [position] of its entry
 */

/** @type {IDBDatabase | null} */
let db = null;
/** Says to the tab that has the connection that there is something to send. */
let announce = () => {};

/** What is to be sent, and what was refused, oldest first. @type {import('../vendor/signals.js').Signal<Item[]>} */
export const outbox = signal([]);
/** How many messages wait. */
export const outboxCount = computed(() => outbox.value.filter((item) => item.state === 'waiting').length);

/** @param {IDBDatabase | null} database @param {() => void} call */
export function use(database, call) {
    db = database;
    announce = call;
}

/** Where what was sent stands, by device and number, until the disk says so too. @type {Map<string, number>} */
const acknowledgedAt = new Map();

/** @param {string} device @param {number} number */
const keyOf = (device, number) => `${device} ${number}`;

/** Reads what other tabs have written. */
export async function refresh() {
    if (!db) return;
    const items = await transact(db, ['outbox'], 'readonly', (tx) => result(tx.objectStore('outbox').getAll()));
    const sent = outbox.value.filter((item) => item.state === 'sent' && !items.some((held) => held.id === item.id));
    outbox.value = [...sent, ...items].map(withPosition).filter((item) => !hasArrived(item));
}

/** @param {Item} item @returns {Item} */
function withPosition(item) {
    const position = item.state === 'waiting' ? acknowledgedAt.get(keyOf(item.device, item.number)) : undefined;
    return position === undefined ? item : { ...item, state: 'sent', position };
}

/**
 * An item is on the server's disk, at a position. It is shown so at once, in every tab; before its entry comes.
 * @param {string} device @param {number} number @param {number} position
 */
export function acknowledge(device, number, position) {
    acknowledgedAt.set(keyOf(device, number), position);
    outbox.value = outbox.value.map(withPosition).filter((item) => !hasArrived(item));
}

/** What was acknowledged and may not be off the disk yet, for a tab that has not heard of it. */
export const acknowledgements = () => [...acknowledgedAt];

/** Takes over what another tab has heard. @param {[string, number][]} acknowledged */
export function adopt(acknowledged) {
    for (const [key, position] of acknowledged) acknowledgedAt.set(key, position);
    void refresh();
}

/** What this tab would send if it could keep nothing: the numbers are then for as long as it is open. */
const inMemory = { device: { id: newId(), number: 0 }, id: 0 };

/** Of the last draft. */
let lastMs = 0;

/** Now, and never the same for two drafts, however quickly one follows the other: it is what an entry has in common with its draft. */
function momentOf() {
    const now = Date.now();
    // A clock that was set back counts from where it is.
    lastMs = lastMs >= now && lastMs < now + 1000 ? lastMs + 1 : now;
    return lastMs;
}

/**
 * Puts a draft into the outbox. It is on disk, and shown, when this is done.
 * @param {string} room @param {Draft} draft
 */
export async function send(room, draft) {
    const client_ms = momentOf();
    if (!db) {
        const { device } = inMemory;
        const item = { id: ++inMemory.id, room, draft, client_ms, device: device.id, number: ++device.number, state: /** @type {const} */ ('waiting') };
        outbox.value = [...outbox.value, item];
    } else {
        const item = await transact(db, ['meta', 'outbox'], 'readwrite', async (tx) => {
            const device = (await result(tx.objectStore('meta').get('device'))) ?? { id: newId(), number: 0 };
            device.number += 1;
            tx.objectStore('meta').put(device, 'device');
            const item = { room, draft, client_ms, device: device.id, number: device.number, state: 'waiting' };
            const id = await result(tx.objectStore('outbox').add(item));
            return /** @type {Item} */ ({ ...item, id });
        });
        // Another tab may have sent it already: it was on the disk a moment before.
        outbox.value = [...outbox.value.filter((held) => held.id !== item.id), withPosition(item)].filter((held) => !hasArrived(held));
    }
    announce();
}

/** Sends what was refused again, under a new number. @param {Item} item */
export async function retry(item) {
    await drop(item);
    await send(item.room, item.draft);
}

/** Forgets what was refused. @param {Item} item */
export async function drop(item) {
    await change(item.id, () => null);
}

/** The device that this browser sends as, and the last number that it has used. @returns {Promise<{ id: string, number: number }>} */
export async function device() {
    if (!db) return inMemory.device;
    return transact(db, ['meta'], 'readwrite', async (tx) => {
        const held = await result(tx.objectStore('meta').get('device'));
        if (held) return held;
        const made = { id: newId(), number: 0 };
        tx.objectStore('meta').put(made, 'device');
        return made;
    });
}

/** The items that wait for an answer, by number. @param {string} id of the device */
export async function waiting(id) {
    await refresh();
    return outbox.value.filter((item) => item.state === 'waiting' && item.device === id);
}

/** Takes what was acknowledged off the disk. @param {string} device @param {number} number */
export async function acknowledged(device, number) {
    if (!db) return;
    await transact(db, ['outbox'], 'readwrite', async (tx) => {
        const store = tx.objectStore('outbox');
        for (const item of await result(store.getAll())) {
            if (item.device === device && item.number === number) store.delete(item.id);
        }
    });
    acknowledgedAt.delete(keyOf(device, number));
}

/** It was refused for good. @param {string} device @param {number} number @param {string} code @param {string} detail */
export async function refused(device, number, code, detail) {
    const item = outbox.value.find((item) => item.device === device && item.number === number && item.state === 'waiting');
    if (item) await change(item.id, (held) => ({ ...held, state: 'refused', code, detail }));
}

/** Goes on as another device: everything that waits gets a new number, in its order. */
export async function moveDevice() {
    const made = { id: newId(), number: 0 };
    if (!db) {
        inMemory.device = made;
        outbox.value = outbox.value.map((item) => (item.state === 'waiting' ? { ...item, device: made.id, number: ++made.number } : item));
        return;
    }
    await transact(db, ['meta', 'outbox'], 'readwrite', async (tx) => {
        const store = tx.objectStore('outbox');
        for (const item of await result(store.getAll())) {
            if (item.state !== 'waiting') continue;
            made.number += 1;
            store.put({ ...item, device: made.id, number: made.number });
        }
        tx.objectStore('meta').put(made, 'device');
    });
    await refresh();
}

/** Entries of a room have come up to a position: what was sent and is among them is shown as an entry now. @param {string} room @param {number} position */
export function arrived(room, position) {
    if (outbox.peek().some((item) => item.room === room && (item.position ?? Infinity) <= position)) {
        outbox.value = outbox.peek().filter((item) => !hasArrived(item));
    }
}

/** @param {Item} item */
function hasArrived(item) {
    return item.position !== undefined && item.position <= (collections.rooms.map.get(item.room)?.head ?? 0);
}

/**
 * Changes an item on disk (or takes it out, for null), and in memory.
 * @param {number} id @param {(item: Item) => Item | null} work
 */
async function change(id, work) {
    const held = outbox.value.find((item) => item.id === id);
    if (!held) return;
    const after = work(held);
    if (db) {
        await transact(db, ['outbox'], 'readwrite', (tx) => {
            if (after) tx.objectStore('outbox').put(after);
            else tx.objectStore('outbox').delete(id);
        });
    }
    outbox.value = outbox.value.flatMap((item) => (item.id !== id ? [item] : after ? [after] : []));
}

/** Forgets what is in memory. */
export function clear() {
    outbox.value = [];
    acknowledgedAt.clear();
}
