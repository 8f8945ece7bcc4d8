// What is on its way up, as it is kept over a reload: what each upload is, and the bytes of small files. IndexedDB is shared by all tabs, so each
// upload has an owner, the tab that sends it; those of a tab that is gone are taken over by one that is there.

import { newId } from '../id.js';
import { result, transact } from '../store/db.js';
import { noteRefusal } from '../store/storage.js';

/** Files up to here are kept whole, to go on after a reload by themselves. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Most bytes that are kept of all of them. */
const ALL_BYTES_MAX = 512 * 1024 * 1024;

/** @typedef {import('./queue.js').Upload} Upload */

const TAB = newId();
const lockOf = (/** @type {string} */ tab) => `wharf-uploads-${tab}`;
/** Where the bytes of an upload are. @param {string} id */
const bytesKey = (id) => `${id}/bytes`;

/** @type {IDBDatabase | null} */
let db = null;
/** Bytes that are kept, by upload. @type {Map<string, number>} */
const kept = new Map();
/** Tabs whose end is waited for. @type {Set<string>} */
const awaited = new Set();
let isMarked = false;
/** Where a tab that has uploads says so, for the others to know whose end to wait for. @type {BroadcastChannel | null} */
const tabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('wharf-uploads');

/** Says, for as long as this tab is there, that it is. */
async function mark() {
    if (isMarked || !navigator.locks) return;
    isMarked = true;
    await new Promise((held) => {
        navigator.locks.request(lockOf(TAB), () => new Promise(() => held(undefined))).catch(held);
    });
}

/**
 * Begins with what the copy has: `take` gets the uploads that are now this tab's, oldest first, with their bytes where those were kept; now, and whenever another tab has left some.
 * @param {IDBDatabase | null} database @param {(uploads: (Upload & { file: Blob | null })[]) => void} take
 */
export async function use(database, take) {
    db = database;
    kept.clear();
    if (tabs) tabs.onmessage = ({ data }) => waitFor(data, take);
    // What this tab had before somebody was logged out is its own again.
    if (db) await adopt(take, true);
}

/** @param {(uploads: (Upload & { file: Blob | null })[]) => void} take @param {boolean} [isFirst] */
async function adopt(take, isFirst = false) {
    await mark();
    const uploads = navigator.locks ? await navigator.locks.request('wharf-uploads', () => claim(take, isFirst)) : await claim(take, isFirst);
    if (uploads.length > 0) take(uploads);
}

/** @param {(uploads: (Upload & { file: Blob | null })[]) => void} take @param {boolean} isFirst @returns {Promise<(Upload & { file: Blob | null })[]>} */
async function claim(take, isFirst) {
    const database = db;
    if (!database) return [];
    const { held = [] } = (await navigator.locks?.query()) ?? {};
    const living = new Set(held.map((lock) => lock.name));
    return transact(database, ['uploads'], 'readwrite', async (tx) => {
        const store = tx.objectStore('uploads');
        const all = await result(store.getAll());
        const bytes = new Map(all.filter((item) => item.file).map((item) => [item.id, item.file]));
        const mine = [];
        for (const item of all) {
            if (!item.path) continue;
            if (item.owner !== TAB && living.has(lockOf(item.owner))) {
                waitFor(item.owner, take);
                continue;
            }
            if (item.owner === TAB && !isFirst) continue;
            const file = bytes.get(bytesKey(item.id)) ?? null;
            if (file) kept.set(item.id, file.size);
            store.put({ ...item, owner: TAB });
            mine.push({ ...item, file });
        }
        return mine.sort((a, b) => a.addedMs - b.addedMs);
    });
}

/** @param {string} tab @param {(uploads: (Upload & { file: Blob | null })[]) => void} take */
function waitFor(tab, take) {
    if (!navigator.locks || awaited.has(tab)) return;
    awaited.add(tab);
    void navigator.locks.request(lockOf(tab), () => awaited.delete(tab)).then(() => (db ? adopt(take) : undefined)).catch((error) => console.warn('uploads of another tab', error));
}

/** Keeps new uploads, and the bytes of those that are small enough. @param {readonly (Upload & { file: Blob | null })[]} uploads */
export async function add(uploads) {
    if (!db) return;
    await mark();
    tabs?.postMessage(TAB);
    let total = [...kept.values()].reduce((sum, bytes) => sum + bytes, 0);
    const small = uploads.filter(({ bytes, file }) => {
        if (!file || bytes > FILE_BYTES_MAX || total + bytes > ALL_BYTES_MAX) return false;
        total += bytes;
        return true;
    });
    await change(uploads);
    try {
        await transact(db, ['uploads'], 'readwrite', (tx) => {
            for (const { id, file } of small) tx.objectStore('uploads').put({ id: bytesKey(id), file });
        });
        for (const { id, bytes } of small) kept.set(id, bytes);
    } catch (error) {
        // The disk is full, or the browser gives no more: after a reload these are to be chosen again.
        noteRefusal(error);
    }
}

/** Writes what uploads are now. @param {readonly (Upload & { file: Blob | null })[]} uploads */
export async function change(uploads) {
    if (!db) return;
    try {
        await transact(db, ['uploads'], 'readwrite', (tx) => {
            for (const { id, room, path, bytes, modifiedMs, addedMs, isPaused, attempt, mayReplace, saying } of uploads) {
                tx.objectStore('uploads').put({ id, room, path, bytes, modifiedMs, addedMs, isPaused, attempt, mayReplace, saying, owner: TAB });
            }
        });
    } catch (error) {
        noteRefusal(error);
    }
}

/** Forgets uploads. @param {readonly string[]} ids */
export async function drop(ids) {
    for (const id of ids) kept.delete(id);
    if (!db) return;
    await transact(db, ['uploads'], 'readwrite', (tx) => {
        for (const id of ids) {
            tx.objectStore('uploads').delete(id);
            tx.objectStore('uploads').delete(bytesKey(id));
        }
    });
}
