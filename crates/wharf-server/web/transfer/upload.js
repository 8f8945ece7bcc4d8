// Files on their way up: read, hashed and sent in batches of chunks (docs/protocol/http.md). Whatever breaks, it begins anew, and what had arrived is not
// sent again, because the server is asked what is missing. `put` sends one file, `putAll` many small ones together; queue.js says which, and when.

import * as api from '../api.js';
import { idOf, newId } from '../id.js';
import { hash } from './hasher.js';
import { BATCH_BYTES, SMALL_BYTES, isTaken, nextName } from './names.js';

/** Batches that are in memory at a time. */
const AT_ONCE = 3;
const HASH_BYTES = 32;
const LISTED_BYTES = 36;
/** How long a batch may take: at 64 KiB a second. */
const BATCH_PATIENCE_MS = 5 * 60_000;
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 20_000;
/** Answers after which the same is tried again. */
const PASSING = ['offline', 'limited', 'unavailable', 'cancelled'];
/** How often a file is sent anew whose chunks the server has forgotten meanwhile. */
const ROUNDS_MAX = 3;

/** @typedef {{ signal?: AbortSignal, progress?: (doneBytes: number, sentBytes: number) => void }} Options `sentBytes` are those that had to travel */
/** @typedef {{ id: string, revision: number, path: string }} Put */

/** Chunks of large files are the largest there are; those of others are of the size that other clients make them on average. @param {number} bytes */
const chunkBytesFor = (bytes) => (bytes > 256 * 1024 * 1024 ? 4 * SMALL_BYTES : SMALL_BYTES);

/** An empty list of so many chunks. @param {number} count */
function manifestOf(count) {
    const manifest = new Uint8Array(5 + count * LISTED_BYTES);
    const view = new DataView(manifest.buffer);
    view.setUint8(0, 1);
    view.setUint32(1, count, true);
    return {
        /** @param {number} index @param {Uint8Array} hash @param {number} bytes */
        set(index, hash, bytes) {
            manifest.set(hash, 5 + index * LISTED_BYTES);
            view.setUint32(5 + index * LISTED_BYTES + HASH_BYTES, bytes, true);
        },
        bytes: () => manifest,
        packed: () => base64(manifest),
    };
}

/** Whether a file with this content is at a path already: one that was put, and whose answer was lost, or the same one chosen again. @param {string} room @param {string} path @param {Uint8Array} manifest @param {AbortSignal} [signal] @returns {Promise<import('../types').Node | null>} */
async function there(room, path, manifest, signal) {
    const node = await again(() => api.get(`/rooms/${room}/node`, { path }, signal), signal).catch(() => null);
    if (!node?.content) return null;
    const { hashes } = await hash(manifest.slice().buffer, Uint32Array.of(0, manifest.length));
    return hexes(hashes)[0] === node.content ? node : null;
}

/** Where the chunks of some bytes are. @param {number} bytes @param {number} chunkBytes */
function cutsOf(bytes, chunkBytes) {
    const count = Math.ceil(bytes / chunkBytes);
    return Uint32Array.from({ length: count * 2 }, (_, at) => (at % 2 === 0 ? (at / 2) * chunkBytes : Math.min(chunkBytes, bytes - ((at - 1) / 2) * chunkBytes)));
}

/** @param {Uint8Array} hashes @param {number} index */
const hashAt = (hashes, index) => hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);

/** Sends a file's content, and gives its manifest, for a `put` of a commit. @param {Blob} file @param {Options} [options] */
export async function content(file, { signal, progress } = {}) {
    const chunkBytes = chunkBytesFor(file.size);
    const manifest = manifestOf(Math.ceil(file.size / chunkBytes));
    let done = 0;
    let sent = 0;
    let next = 0;
    const work = async () => {
        while (next < file.size) {
            const from = next;
            next += BATCH_BYTES;
            const batch = file.slice(from, from + BATCH_BYTES);
            const cuts = cutsOf(batch.size, chunkBytes);
            // The browser sends what is in the file then. If that is another by now, it is read again, or cannot be any longer.
            sent += await again(async () => {
                const { hashes } = await hash(batch, cuts);
                for (let index = 0; index < cuts.length / 2; index += 1) manifest.set(from / chunkBytes + index, hashAt(hashes, index), cuts[index * 2 + 1]);
                return sendMissing(batch, hashes, cuts, signal);
            }, signal);
            done += batch.size;
            progress?.(done, sent);
        }
    };
    try {
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, Math.ceil(file.size / BATCH_BYTES)) }, work));
    } finally {
        next = Infinity;
    }
    return manifest;
}

/**
 * Sends those chunks of a batch that the server has not; how many bytes that were.
 * @param {Blob | ArrayBuffer} batch a part of a file, whose bytes then never come into this page, or bytes @param {Uint8Array} hashes @param {Uint32Array} cuts @param {AbortSignal} [signal]
 */
async function sendMissing(batch, hashes, cuts, signal) {
    if (cuts.length === 0) return 0;
    const asked = await api.send('POST', api.url('/chunks/missing'), { body: /** @type {any} */ (hashes), type: 'application/vnd.wharf.hashes', signal });
    const missing = new Set(hexes(new Uint8Array(await asked.arrayBuffer())));
    /** @type {BlobPart[]} */
    const parts = [];
    let sent = 0;
    hexes(hashes).forEach((name, index) => {
        if (!missing.delete(name)) return;
        const from = cuts[index * 2];
        const bytes = cuts[index * 2 + 1];
        const head = new Uint8Array(44);
        head.set(hashAt(hashes, index));
        new DataView(head.buffer).setUint32(36, bytes, true);
        new DataView(head.buffer).setUint32(40, bytes, true);
        parts.push(head, batch instanceof Blob ? batch.slice(from, from + bytes) : new Uint8Array(batch, from, bytes));
        sent += bytes;
    });
    if (parts.length > 0) {
        const answer = await api.send('POST', api.url('/chunks'), { body: new Blob(parts), type: 'application/vnd.wharf.chunks', signal, patienceMs: BATCH_PATIENCE_MS });
        const { mismatched } = await answer.json();
        if (mismatched?.length) throw new api.NetworkError(new Error('chunks arrived damaged'));
    }
    return sent;
}

/** @param {string} path @param {string} manifest @param {number} [modifiedMs] @param {boolean} [mayReplace] @returns {import('../types').Op} */
const putOf = (path, manifest, modifiedMs, mayReplace) => ({ op: 'put', path, manifest, expect: mayReplace ? 'any' : 'absent', ...(modifiedMs ? { mtime_ns: modifiedMs * 1_000_000 } : {}) });

/**
 * Puts a file into a drive. Tried again for as long as it takes, until the signal says otherwise.
 *
 * `id` is the upload's own: what it commits is committed once, also where the answer was lost and the page loaded anew. `attempt` counts what was asked for
 * under the id: another path, or leave to replace, is another attempt. With `isFree`, a name that is taken gets a number.
 * @param {string} room @param {string} path @param {Blob} file
 * @param {Options & { modifiedMs?: number, id?: string, attempt?: number, mayReplace?: boolean, isFree?: boolean }} [options]
 * @returns {Promise<Put>}
 */
export async function put(room, path, file, { signal, progress, modifiedMs, id = newId(), attempt = 0, mayReplace = false, isFree = false } = {}) {
    let manifest = await content(file, { signal, progress });
    let rounds = 1;
    for (let name = path; ; ) {
        try {
            const committed = await again(() => api.post(`/rooms/${room}/commit`, { id: idOf(id, attempt), ops: [putOf(name, manifest.packed(), modifiedMs, mayReplace)] }), signal);
            const [result] = committed.results;
            if (result) return { id: result.id, revision: result.revision, path: name };
            const node = await again(() => api.get(`/rooms/${room}/node`, { path: name }, signal), signal);
            return { id: node.id, revision: node.revision, path: name };
        } catch (error) {
            if (isFree && isTaken(error)) {
                name = nextName(name);
                attempt += 1;
            } else if (/** @type {any} */ (error)?.code === 'not_found' && /** @type {any} */ (error).failed?.length && rounds < ROUNDS_MAX) {
                rounds += 1;
                manifest = await content(file, { signal, progress });
            } else {
                const node = isTaken(error) ? await there(room, name, manifest.bytes(), signal) : null;
                if (!node) throw error;
                return { id: node.id, revision: node.revision, path: name };
            }
        }
    }
}

/** @typedef {{ id: string, path: string, file: Blob, modifiedMs?: number, mayReplace?: boolean }} Small a file of SMALL_BYTES at most */

/**
 * Puts small files into a drive, together BATCH_BYTES at most: one batch of chunks and, if nothing is in the way, one commit. What each came to.
 * @param {string} room @param {readonly Small[]} files @param {AbortSignal} [signal]
 * @returns {Promise<{ error: unknown, sentBytes: number }[]>} in the order of the files; `error` is null for those that are there
 */
export async function putAll(room, files, signal) {
    const read = await Promise.allSettled(files.map(({ file }) => file.arrayBuffer()));
    const from = [0];
    for (const [index, each] of read.entries()) from.push(from[index] + (each.status === 'fulfilled' ? Math.ceil(each.value.byteLength / 4) * 4 : 0));
    const all = new Uint8Array(from[files.length]);
    /** The files that have content, in the order of the cuts. @type {number[]} */
    const cutFiles = [];
    /** @type {number[]} */
    const cuts = [];
    for (const [index, each] of read.entries()) {
        if (each.status !== 'fulfilled' || each.value.byteLength === 0) continue;
        all.set(new Uint8Array(each.value), from[index]);
        cuts.push(from[index], each.value.byteLength);
        cutFiles.push(index);
    }
    const { buffer, hashes } = await hash(all.buffer, Uint32Array.from(cuts));
    const sent = await again(() => sendMissing(buffer, hashes, Uint32Array.from(cuts), signal), signal);
    const manifests = files.map((_, index) => manifestOf(cutFiles.includes(index) ? 1 : 0));
    cutFiles.forEach((file, index) => manifests[file].set(0, hashAt(hashes, index), cuts[index * 2 + 1]));
    const results = read.map((each) => ({ error: each.status === 'rejected' ? each.reason : null, sentBytes: 0 }));
    if (results[cutFiles[0]]) results[cutFiles[0]].sentBytes = sent;
    const ops = files.map(({ path, modifiedMs, mayReplace }, index) => putOf(path, manifests[index].packed(), modifiedMs, mayReplace));
    await commitAll(room, files, ops, results, signal);
    for (const [index, result] of results.entries()) {
        if (isTaken(result.error) && (await there(room, files[index].path, manifests[index].bytes(), signal))) result.error = null;
    }
    return results;
}

/**
 * Commits what it can: all at once, then without those that are in the way, and one by one where nobody says which they are.
 * @param {string} room @param {readonly Small[]} files @param {import('../types').Op[]} ops @param {{ error: unknown }[]} results @param {AbortSignal} [signal]
 */
async function commitAll(room, files, ops, results, signal) {
    let left = files.map((_, index) => index).filter((index) => results[index].error === null);
    while (left.length > 0) {
        // The first file's own id, so that one alone is committed as `put` would.
        const id = left.length === 1 ? files[left[0]].id : newId();
        try {
            await again(() => api.post(`/rooms/${room}/commit`, { id, ops: left.map((index) => ops[index]) }), signal);
            return;
        } catch (error) {
            if (!(error instanceof api.ApiError)) throw error;
            const failed = new Map(error.failed.map((each) => [left[each.index], each]));
            if (left.length === 1) {
                results[left[0]].error = error;
                return;
            }
            if (failed.size === 0) {
                for (const index of left) await commitAll(room, [files[index]], [ops[index]], [results[index]], signal);
                return;
            }
            for (const [index, { code, detail }] of failed) results[index].error = new api.ApiError(error.status, /** @type {any} */ ({ code, detail }));
            left = left.filter((index) => !failed.has(index));
        }
    }
}

/** Tries until there is an answer that is one. @template T @param {() => Promise<T>} work @param {AbortSignal} [signal] @returns {Promise<T>} */
async function again(work, signal) {
    for (let failed = 0; ; failed += 1) {
        signal?.throwIfAborted();
        try {
            return await work();
        } catch (error) {
            const code = /** @type {any} */ (error)?.code;
            if (signal?.aborted || !PASSING.includes(code)) throw error;
            const pause = /** @type {any} */ (error).retryAfterSeconds * 1000 || Math.random() * Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** failed);
            await new Promise((resolve) => {
                const timer = setTimeout(resolve, pause);
                signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(undefined); }, { once: true });
            });
        }
    }
}

/** @param {Uint8Array} hashes */
function hexes(hashes) {
    const found = [];
    for (let at = 0; at < hashes.length; at += HASH_BYTES) {
        let text = '';
        for (let index = at; index < at + HASH_BYTES; index += 1) text += hashes[index].toString(16).padStart(2, '0');
        found.push(text);
    }
    return found;
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
    let text = '';
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
}
