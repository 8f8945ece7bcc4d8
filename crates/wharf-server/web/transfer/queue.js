// What is on its way up: files for drives, and files for conversations, which are said when they are there. Each of the two kinds goes in the order in which it
// was added; small files for a drive go together. What sends them is loaded when there is something to send. What was not finished goes on after a reload (kept.js), and sends only what has not arrived.

import { signal } from '../html.js';
import { newId } from '../id.js';
import * as outbox from '../store/outbox.js';
import * as kept from './kept.js';
import { overQuota, spaceLeftIfKnown } from './space.js';
import { BATCH_BYTES, SMALL_BYTES, isTaken, nextName } from './names.js';

/** Files that go together. */
const GROUP_MAX = 256;
/** How often views are told how far it is. */
const TELL_MS = 60;
const NAME_MAX = 200;

/**
 * What is said when the file is there.
 * @typedef {{ text: string, dimensions?: [number, number], replyTo?: number, mentions?: import('../types').Mentions }} Saying
 *
 * @typedef {object} Upload
 * @property {string} id
 * @property {string} room
 * @property {string} path where it goes in the room's drive
 * @property {number} bytes
 * @property {number} modifiedMs
 * @property {number} addedMs
 * @property {boolean} isPaused
 * @property {number} attempt counts what was asked for under the id
 * @property {boolean} mayReplace whether it may replace what is at the path
 * @property {Saying} [saying] for a conversation
 *
 * @typedef {'waiting' | 'going' | 'paused' | 'absent' | 'taken' | 'failed' | 'done'} State `absent`: the file is to be chosen again
 * @typedef {Upload & { file: Blob | null, state: State, doneBytes: number, sentBytes: number, error: unknown }} Shown
 */

/** Oldest first. @type {Map<string, Shown>} */
const held = new Map();
/** What is on its way, and what has arrived in drives until somebody has seen it. @type {import('../vendor/signals.js').Signal<readonly Shown[]>} */
export const uploads = signal([]);
let telling = 0;

/** @typedef {'drive' | 'said'} Lane */
/** @type {Record<Lane, { ids: Set<string>, stop: AbortController } | null>} */
const running = { drive: null, said: null };

/** @param {Pick<Upload, 'saying'>} upload @returns {Lane} */
const laneOf = (upload) => (upload.saying ? 'said' : 'drive');
/** @param {Pick<Upload, 'path'>} upload */
export const nameOf = (upload) => upload.path.split('/').pop() ?? '';

function tellNow() {
    clearTimeout(telling);
    telling = 0;
    uploads.value = [...held.values()];
}

/** @param {string} id @param {Partial<Shown>} changes */
function set(id, changes) {
    const upload = held.get(id);
    if (!upload) return undefined;
    const after = { ...upload, ...changes };
    held.set(id, after);
    telling ||= window.setTimeout(tellNow, TELL_MS);
    return after;
}

/** @param {Upload & { file: Blob | null }} upload @returns {Shown} */
const shown = (upload) => ({ ...upload, state: upload.isPaused ? 'paused' : upload.file ? 'waiting' : 'absent', doneBytes: 0, sentBytes: 0, error: null });

/** @param {IDBDatabase | null} database */
export async function use(database) {
    for (const lane of /** @type {Lane[]} */ (['drive', 'said'])) {
        running[lane]?.stop.abort();
        running[lane] = null;
    }
    held.clear();
    tellNow();
    await kept.use(database, (found) => {
        for (const upload of found) if (!held.has(upload.id)) held.set(upload.id, shown(upload));
        start();
    });
}

/** @param {Shown[]} added */
async function take(added) {
    for (const upload of added) held.set(upload.id, upload);
    tellNow();
    await kept.add(added);
    start();
}

let lastMs = 0;
/** Later than all before. */
const nextMs = () => (lastMs = Math.max(lastMs + 1, Date.now()));

/** @param {string} room @param {string} path @param {File} file @param {Saying} [saying] */
const made = (room, path, file, saying) => shown({
    id: newId(), room, path, bytes: file.size, modifiedMs: file.lastModified, addedMs: nextMs(), isPaused: false, attempt: 0, mayReplace: false, saying, file,
});

/** Puts files into a folder of a drive. Those that wait to be chosen again are not put twice. @param {string} room @param {string} folder @param {readonly { path: string, file: File }[]} files */
export async function addTo(room, folder, files) {
    const added = [];
    for (const { path, file } of files) {
        const whole = folder ? `${folder}/${path}` : path;
        const waits = [...held.values()].find((upload) => upload.state === 'absent' && upload.room === room && upload.path === whole && !upload.saying);
        if (!waits || !give(waits.id, file)) added.push(made(room, whole, file));
    }
    await take(added);
}

/**
 * Hands files over in conversations, in their order.
 * @param {(Partial<Saying> & { room: string, file: File })[]} files
 */
export async function handOver(files) {
    await take(files.map(({ room, file, text = '', dimensions, replyTo, mentions }) => made(room, safeName(file.name), file, { text, dimensions, replyTo, mentions })));
}

/** A name as a drive takes it. @param {string} name */
const safeName = (name) => name.replace(/[/\0]/g, '_').slice(0, NAME_MAX) || 'file';

/** Stops what is under way with these. @param {(upload: Shown) => boolean} which */
function halt(which) {
    for (const going of Object.values(running)) {
        // One that was given up is held no more, and may be under way still.
        const ids = [...(going?.ids ?? [])].filter((id) => held.has(id));
        if (ids.some((id) => which(/** @type {Shown} */ (held.get(id))))) going?.stop.abort();
    }
}

/** @param {(upload: Shown) => boolean} which @param {(upload: Shown) => Partial<Shown>} changes */
async function changeAll(which, changes) {
    const changed = [...held.values()].filter(which).map((upload) => /** @type {Shown} */ (set(upload.id, changes(upload))));
    tellNow();
    await kept.change(changed);
    start();
}

/** Stops one, or all of a drive's, for now. @param {string} [id] */
export async function pause(id) {
    const which = (/** @type {Shown} */ upload) => (id ? upload.id === id : !upload.saying) && (upload.state === 'going' || upload.state === 'waiting');
    halt(which);
    await changeAll(which, () => ({ isPaused: true, state: 'paused' }));
}

/** Goes on with one, or with all of a drive's. @param {string} [id] */
export async function resume(id) {
    const which = (/** @type {Shown} */ upload) => (id ? upload.id === id : !upload.saying) && (upload.state === 'paused' || upload.state === 'failed');
    await changeAll(which, ({ file }) => ({ isPaused: false, state: file ? 'waiting' : 'absent', error: null }));
}

/** Gives one the file that was chosen again; false if it is another file. @param {string} id @param {File} file */
export function give(id, file) {
    const upload = held.get(id);
    if (!upload || file.size !== upload.bytes || (upload.saying ? safeName(file.name) : file.name) !== nameOf(upload)) return false;
    set(id, { file, state: 'waiting', error: null });
    void changeAll((each) => each.id === id, () => ({ isPaused: false }));
    return true;
}

/** Gives files that were chosen again, alone or with their folder, to the uploads into drives that want them; how many were wanted. @param {readonly { path: string, file: File }[]} files */
export function giveAll(files) {
    let given = 0;
    for (const upload of held.values()) {
        if (upload.state !== 'absent' || upload.saying) continue;
        const found = files.find(({ path, file }) => (upload.path === path || upload.path.endsWith(`/${path}`)) && file.size === upload.bytes);
        if (found && give(upload.id, found.file)) given += 1;
    }
    return given;
}

/** Has one replace what is there. @param {string} id */
export const replace = (id) => changeAll((upload) => upload.id === id, ({ attempt }) => ({ state: 'waiting', mayReplace: true, attempt: attempt + 1, error: null }));

/** Puts one beside what is there, under another name. @param {string} id */
export const keepBoth = (id) => changeAll((upload) => upload.id === id, ({ path, attempt }) => ({ state: 'waiting', path: nextName(path), attempt: attempt + 1, error: null }));

/** Gives one up. @param {string} id */
export const cancel = (id) => forget((upload) => upload.id === id);

/** Gives up all that go into drives, and forgets what has arrived. */
export const cancelAll = () => forget((upload) => !upload.saying);

/** @param {(upload: Shown) => boolean} which */
async function forget(which) {
    halt(which);
    const ids = [...held.values()].filter(which).map((upload) => upload.id);
    for (const id of ids) held.delete(id);
    tellNow();
    await kept.drop(ids);
    start();
}

function start() {
    tellNow();
    void run('drive');
    void run('said');
}

/** What goes next: one file, or small ones of the same drive together. @param {Lane} lane @returns {(Shown & { file: Blob })[]} */
function nextOf(lane) {
    /** @type {any[]} */
    const group = [];
    let bytes = 0;
    for (const upload of held.values()) {
        if (upload.state !== 'waiting' || !upload.file || laneOf(upload) !== lane) continue;
        const [first] = group;
        if (first && (upload.room !== first.room || upload.bytes > SMALL_BYTES || bytes + upload.bytes + group.length * 4 > BATCH_BYTES || group.length === GROUP_MAX)) break;
        group.push(upload);
        bytes += upload.bytes;
        if (lane === 'said' || upload.bytes > SMALL_BYTES) break;
    }
    return group;
}

/** @param {Lane} lane */
async function run(lane) {
    if (running[lane]) return;
    const group = nextOf(lane);
    if (group.length === 0) return;
    const mine = { ids: new Set(group.map(({ id }) => id)), stop: new AbortController() };
    running[lane] = mine;
    for (const { id } of group) set(id, { state: 'going', doneBytes: 0, sentBytes: 0 });
    try {
        await (group.length > 1 ? sendTogether(group, mine.stop.signal) : send(group[0], mine.stop.signal));
    } catch (error) {
        if (!mine.stop.signal.aborted) for (const { id } of group) if (held.get(id)?.state === 'going') failed(id, error);
    } finally {
        for (const { id } of group) if (held.get(id)?.state === 'going') set(id, { state: 'waiting' });
        if (running[lane] === mine) {
            running[lane] = null;
            void run(lane);
        }
    }
}

/** @param {string} id @param {unknown} error */
function failed(id, error) {
    const isGone = error instanceof DOMException && (error.name === 'NotReadableError' || error.name === 'NotFoundError');
    if (isGone) set(id, { state: 'absent', file: null });
    else if (isTaken(error)) set(id, { state: 'taken' });
    else {
        console.warn('upload', error);
        set(id, { state: 'failed', error });
    }
}

/** @param {Shown & { file: Blob }} upload @param {AbortSignal} signal */
async function send(upload, signal) {
    const { id, room, path, file, bytes, modifiedMs, attempt, mayReplace, saying } = upload;
    if (bytes > SMALL_BYTES) {
        const left = await spaceLeftIfKnown(room);
        if (bytes > left) throw overQuota(left);
    }
    signal.throwIfAborted();
    const progress = (/** @type {number} */ doneBytes, /** @type {number} */ sentBytes) => void set(id, { doneBytes, sentBytes });
    const { put } = await import('./upload.js');
    const node = await put(room, path, file, { signal, progress, modifiedMs, id, attempt, mayReplace, isFree: saying !== undefined });
    if (!saying) {
        await arrived([id]);
        return;
    }
    // Stopped while it was committed: it is in the drive then, and not said. Who goes on gets the same file there.
    signal.throwIfAborted();
    await outbox.send(room, { kind: 'file', node: node.id, revision: node.revision, text: saying.text, dimensions: saying.dimensions, reply_to: saying.replyTo, mentions: saying.mentions });
    held.delete(id);
    tellNow();
    await kept.drop([id]);
}

/** @param {(Shown & { file: Blob })[]} group @param {AbortSignal} signal */
async function sendTogether(group, signal) {
    const { putAll } = await import('./upload.js');
    const results = await putAll(group[0].room, group, signal);
    const done = [];
    for (const [index, { error, sentBytes }] of results.entries()) {
        if (error) failed(group[index].id, error);
        else {
            set(group[index].id, { sentBytes });
            done.push(group[index].id);
        }
    }
    await arrived(done);
}

/** These are in their drives. @param {string[]} ids */
async function arrived(ids) {
    for (const id of ids) set(id, { state: 'done', doneBytes: held.get(id)?.bytes, file: null });
    tellNow();
    await kept.drop(ids);
}
