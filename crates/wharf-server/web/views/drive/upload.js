// Files on their way into a drive: a queue, a few at a time, with how far each is. What failed can be tried again.

import * as api from '../../api.js';
import { signal } from '../../html.js';
import { message } from '../../parts/problem.js';
import { join } from './address.js';

/** Files that travel at once. */
const AT_ONCE = 3;

/** @typedef {'waiting' | 'going' | 'paused' | 'done' | 'failed' | 'taken'} State */
/**
 * @typedef {object} Upload
 * @property {number} id
 * @property {string} room
 * @property {string} path
 * @property {File} file
 * @property {State} state
 * @property {number} sent bytes
 * @property {string} [why] it failed
 * @property {boolean} [isOver] whether it may replace what is there
 */

/** @type {import('../../vendor/signals.js').Signal<readonly Upload[]>} */
export const uploads = signal([]);
/** @type {Map<number, XMLHttpRequest>} */
const going = new Map();
let last = 0;

/** @param {number} id @param {Partial<Upload>} change */
function set(id, change) {
    uploads.value = uploads.value.map((upload) => (upload.id === id ? { ...upload, ...change } : upload));
}

/** Puts files into a folder. @param {string} room @param {string} folder @param {{ path: string, file: File }[]} files */
export function add(room, folder, files) {
    uploads.value = [...uploads.value, ...files.map(({ path, file }) => ({
        id: ++last, room, path: join(folder, path), file, state: /** @type {State} */ ('waiting'), sent: 0,
    }))];
    next();
}

function next() {
    while (going.size < AT_ONCE) {
        const upload = uploads.value.find((upload) => upload.state === 'waiting');
        if (!upload) return;
        start(upload);
    }
}

/** @param {Upload} upload */
function start(upload) {
    const { id, room, path, file } = upload;
    const request = new XMLHttpRequest();
    going.set(id, request);
    set(id, { state: 'going', sent: 0, why: undefined });
    const ended = (/** @type {Partial<Upload>} */ change) => {
        if (going.get(id) !== request) return;
        going.delete(id);
        set(id, change);
        next();
    };
    request.upload.onprogress = (event) => {
        if (going.get(id) === request) set(id, { sent: event.loaded });
    };
    request.onload = () => {
        if (request.status >= 200 && request.status < 300) return ended({ state: 'done', sent: file.size });
        if (request.status === 412) return ended({ state: 'taken' });
        return ended({ state: 'failed', why: message(new api.ApiError(request.status, problem(request.responseText))) });
    };
    request.onerror = () => ended({ state: 'failed', why: message(new api.NetworkError(null)) });
    const mtime = BigInt(file.lastModified) * 1_000_000n;
    request.open('PUT', api.url(`/rooms/${room}/content/${api.encodePath(path)}`, { mtime_ns: String(mtime) }));
    request.setRequestHeader('content-type', 'application/octet-stream');
    if (!upload.isOver) request.setRequestHeader('if-none-match', '*');
    request.send(file);
}

/** @param {string} text */
function problem(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

/** Stops an upload and forgets it. @param {number} id */
export function cancel(id) {
    going.get(id)?.abort();
    going.delete(id);
    uploads.value = uploads.value.filter((upload) => upload.id !== id);
    next();
}

/** Stops one for a while. It begins anew afterwards. @param {number} id */
export function pause(id) {
    going.get(id)?.abort();
    going.delete(id);
    set(id, { state: 'paused', sent: 0 });
    next();
}

/** Goes on with one. @param {number} id */
export function resume(id) {
    set(id, { state: 'waiting' });
    next();
}

/** Replaces what is there. @param {number} id */
export function replace(id) {
    set(id, { state: 'waiting', isOver: true });
    next();
}

/** Puts one beside what is there, under another name. @param {number} id */
export function keepBoth(id) {
    const upload = uploads.value.find((upload) => upload.id === id);
    if (!upload) return;
    const [, stem, number, ending] = /^(.*?)(?: \((\d+)\))?(\.[^./]*)?$/.exec(upload.path) ?? [];
    set(id, { state: 'waiting', path: `${stem} (${Number(number ?? 1) + 1})${ending ?? ''}` });
    next();
}

/** Forgets those that are done. */
export function clearDone() {
    uploads.value = uploads.value.filter((upload) => upload.state !== 'done');
}

export function cancelAll() {
    for (const request of going.values()) request.abort();
    going.clear();
    uploads.value = [];
}

/** The files of what was dropped, folders with all that is in them. @param {DataTransfer} transfer @returns {Promise<{ path: string, file: File }[]>} */
export async function filesOf(transfer) {
    const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry());
    const plain = [...transfer.files];
    /** @type {{ path: string, file: File }[]} */
    const found = [];
    for (const [index, entry] of entries.entries()) {
        if (entry) await walk(entry, found);
        else if (plain[index]) found.push({ path: plain[index].name, file: plain[index] });
    }
    return found;
}

/** @param {FileSystemEntry} entry @param {{ path: string, file: File }[]} found */
async function walk(entry, found) {
    if (entry.isFile) {
        const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
        found.push({ path: entry.fullPath.replace(/^\//, ''), file });
        return;
    }
    const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
    for (;;) {
        // A folder is read in parts; an empty one is the last.
        const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (entries.length === 0) return;
        for (const inner of entries) await walk(inner, found);
    }
}

/** The files that were chosen in a dialog of the system. @param {FileList | null} list @returns {{ path: string, file: File }[]} */
export const chosenFiles = (list) => [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
