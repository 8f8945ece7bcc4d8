// Files that are handed over in conversations: one after another up, then said. What is on its way is in IndexedDB, so that it goes on after a
// reload: small files with their bytes; a large one asks for the file again, and sends only what has not arrived.

import { signal } from '../html.js';
import { result, transact } from '../store/db.js';
import * as outbox from '../store/outbox.js';
import { put } from './upload.js';

/** Files up to here are kept whole, to go on after a reload by themselves. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * @typedef {object} Upload
 * @property {string} id
 * @property {string} room
 * @property {string} name
 * @property {number} bytes
 * @property {number} modifiedMs
 * @property {string} text what is said with it
 * @property {[number, number]} [dimensions]
 * @property {number} [replyTo]
 * @property {import('../types').Mentions} [mentions]
 * @property {number} addedMs
 * @property {boolean} isPaused
 * @property {Blob | null} file null where it is to be chosen again
 *
 * @typedef {Upload & { doneBytes: number, sentBytes: number, error: unknown, isRunning: boolean }} Shown
 */

/** @type {IDBDatabase | null} */
let db = null;
/** What is on its way, oldest first. @type {import('../vendor/signals.js').Signal<readonly Shown[]>} */
export const uploads = signal([]);
/** @type {{ id: string, stop: AbortController } | null} */
let running = null;

/** @param {IDBDatabase | null} database */
export async function use(database) {
    running?.stop.abort();
    running = null;
    db = database;
    uploads.value = [];
    if (!db) return;
    const kept = await transact(db, ['uploads'], 'readonly', (tx) => result(tx.objectStore('uploads').getAll()));
    uploads.value = kept.sort((a, b) => a.addedMs - b.addedMs).map(shown);
    void run();
}

/** @param {Upload} upload @returns {Shown} */
const shown = (upload) => ({ ...upload, doneBytes: 0, sentBytes: 0, error: null, isRunning: false });

/**
 * Hands files over, in their order.
 * @param {{ room: string, file: File, text?: string, dimensions?: [number, number], replyTo?: number, mentions?: import('../types').Mentions }[]} files
 */
export async function handOver(files) {
    const now = Date.now();
    const added = files.map(({ room, file, text = '', dimensions, replyTo, mentions }, index) => shown({
        id: crypto.randomUUID(), room, name: safeName(file.name), bytes: file.size, modifiedMs: file.lastModified, text, dimensions, replyTo, mentions, addedMs: now + index, isPaused: false, file,
    }));
    await Promise.all(added.map(keep));
    uploads.value = [...uploads.value, ...added];
    void run();
}

/** A name as a drive takes it. @param {string} name */
const safeName = (name) => name.replace(/[/\0]/g, '_').slice(0, 200) || 'file';

/** @param {Shown} upload */
async function keep({ doneBytes: _done, sentBytes: _sent, error: _error, isRunning: _running, ...upload }) {
    if (!db) return;
    const isSmall = upload.bytes <= KEPT_BYTES_MAX;
    await transact(db, ['uploads'], 'readwrite', (tx) => {
        tx.objectStore('uploads').put({ ...upload, file: isSmall ? upload.file : null });
    });
}

/** @param {string} id @param {Partial<Shown>} changes */
function change(id, changes) {
    uploads.value = uploads.value.map((upload) => (upload.id === id ? { ...upload, ...changes } : upload));
    return uploads.value.find((upload) => upload.id === id);
}

/** Stops one for now. @param {string} id */
export async function pause(id) {
    if (running?.id === id) running.stop.abort();
    const upload = change(id, { isPaused: true, isRunning: false });
    if (upload) await keep(upload);
    void run();
}

/** Goes on. @param {string} id */
export async function resume(id) {
    const upload = change(id, { isPaused: false, error: null });
    if (upload) await keep(upload);
    void run();
}

/** Gives a file that was chosen again; false if it is another one. @param {string} id @param {File} file */
export function rechoose(id, file) {
    const upload = uploads.value.find((held) => held.id === id);
    if (!upload || file.size !== upload.bytes || safeName(file.name) !== upload.name) return false;
    change(id, { file, error: null, isPaused: false });
    void run();
    return true;
}

/** Gives one up. @param {string} id */
export async function cancel(id) {
    if (running?.id === id) running.stop.abort();
    await drop(id);
    void run();
}

/** @param {string} id */
async function drop(id) {
    uploads.value = uploads.value.filter((upload) => upload.id !== id);
    if (db) await transact(db, ['uploads'], 'readwrite', (tx) => void tx.objectStore('uploads').delete(id));
}

/** Sends the first that can be sent; then the next. */
async function run() {
    if (running) return;
    const upload = uploads.value.find((held) => held.file && !held.isPaused && !held.error);
    if (!upload?.file) return;
    const stop = new AbortController();
    running = { id: upload.id, stop };
    const { file } = upload;
    try {
        // Another tab of this browser may be at it.
        const isMine = await navigator.locks.request(`wharf-upload-${upload.id}`, { ifAvailable: true }, async (lock) => {
            if (!lock) return false;
            change(upload.id, { isRunning: true });
            await send(upload, file, stop.signal);
            return true;
        });
        if (!isMine) uploads.value = uploads.value.filter((held) => held.id !== upload.id);
    } catch (error) {
        if (!stop.signal.aborted) {
            console.warn('upload', error);
            change(upload.id, { error });
        }
    } finally {
        change(upload.id, { isRunning: false });
        if (running?.id === upload.id) running = null;
    }
    void run();
}

/** @param {Shown} upload @param {Blob} file @param {AbortSignal} signal */
async function send(upload, file, signal) {
    const progress = (/** @type {number} */ doneBytes, /** @type {number} */ sentBytes) => void change(upload.id, { doneBytes, sentBytes });
    const node = await put(upload.room, upload.name, file, { signal, progress, modifiedMs: upload.modifiedMs });
    await outbox.send(upload.room, {
        kind: 'file', node: node.id, revision: node.revision, text: upload.text, dimensions: upload.dimensions, reply_to: upload.replyTo, mentions: upload.mentions,
    });
    await drop(upload.id);
}
