// Files on their way up: read, hashed and sent in batches of chunks (docs/protocol/http.md). Whatever breaks, it begins anew, and what had arrived is not
// sent again, because the server is asked what is missing. `put` is all that other views need.

import * as api from '../api.js';

/** What is read, hashed and sent at once. Three of these are in memory. */
const BATCH_BYTES = 16 * 1024 * 1024;
const AT_ONCE = 3;
const HASH_BYTES = 32;
/** How long a batch may take: at 64 KiB a second. */
const BATCH_PATIENCE_MS = 5 * 60_000;
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 20_000;
/** Answers after which the same is tried again. */
const PASSING = ['offline', 'limited', 'unavailable', 'cancelled'];

/** Chunks of large files are the largest there are; those of others are of the size that other clients make them on average. @param {number} bytes */
const chunkBytesFor = (bytes) => (bytes > 256 * 1024 * 1024 ? 4 : 1) * 1024 * 1024;

class Hasher {
    constructor() {
        const count = Math.max(1, Math.min(2, (navigator.hardwareConcurrency ?? 2) - 1));
        this.workers = Array.from({ length: count }, () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
        /** @type {Map<number, { resolve: (value: { buffer: ArrayBuffer, hashes: Uint8Array }) => void, reject: (error: unknown) => void }>} */
        this.waiting = new Map();
        this.last = 0;
        for (const worker of this.workers) {
            worker.onmessage = ({ data }) => {
                this.waiting.get(data.id)?.resolve(data);
                this.waiting.delete(data.id);
            };
            worker.onerror = (event) => {
                for (const { reject } of this.waiting.values()) reject(new Error(event.message));
                this.waiting.clear();
            };
        }
    }

    /** @param {ArrayBuffer} buffer @param {number} chunkBytes @returns {Promise<{ buffer: ArrayBuffer, hashes: Uint8Array }>} */
    hash(buffer, chunkBytes) {
        const id = ++this.last;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.workers[id % this.workers.length].postMessage({ id, buffer, chunkBytes }, [buffer]);
        });
    }

    stop() {
        for (const worker of this.workers) worker.terminate();
        for (const { reject } of this.waiting.values()) reject(new DOMException('stopped', 'AbortError'));
    }
}

/**
 * Sends a file's content, and gives its packed manifest in base64, for a `put` of a commit.
 * @param {Blob} file
 * @param {{ signal?: AbortSignal, progress?: (doneBytes: number, sentBytes: number) => void }} [options] `sentBytes` are those that had to travel
 */
export async function content(file, { signal, progress } = {}) {
    const chunkBytes = chunkBytesFor(file.size);
    const count = Math.ceil(file.size / chunkBytes);
    const manifest = new Uint8Array(5 + count * 36);
    const view = new DataView(manifest.buffer);
    view.setUint8(0, 1);
    view.setUint32(1, count, true);
    const hasher = count > 0 ? new Hasher() : null;
    let done = 0;
    let sent = 0;
    let next = 0;
    const work = async () => {
        while (next < file.size) {
            signal?.throwIfAborted();
            const from = next;
            next += BATCH_BYTES;
            const read = await file.slice(from, from + BATCH_BYTES).arrayBuffer();
            const { buffer, hashes } = await /** @type {Hasher} */ (hasher).hash(read, chunkBytes);
            const first = from / chunkBytes;
            for (let index = 0; index * chunkBytes < buffer.byteLength; index += 1) {
                const at = 5 + (first + index) * 36;
                manifest.set(hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES), at);
                view.setUint32(at + HASH_BYTES, Math.min(chunkBytes, buffer.byteLength - index * chunkBytes), true);
            }
            sent += await again(() => sendMissing(buffer, hashes, chunkBytes, signal), signal);
            done += buffer.byteLength;
            progress?.(done, sent);
        }
    };
    try {
        await Promise.all(Array.from({ length: Math.min(AT_ONCE, Math.ceil(file.size / BATCH_BYTES)) }, work));
    } finally {
        next = Infinity;
        hasher?.stop();
    }
    return base64(manifest);
}

/** Sends those chunks of a batch that the server has not. @param {ArrayBuffer} buffer @param {Uint8Array} hashes @param {number} chunkBytes @param {AbortSignal} [signal] */
async function sendMissing(buffer, hashes, chunkBytes, signal) {
    const asked = await api.send('POST', api.url('/chunks/missing'), { body: /** @type {any} */ (hashes), type: 'application/vnd.wharf.hashes', signal });
    const missing = new Set(hexes(new Uint8Array(await asked.arrayBuffer())));
    /** @type {BlobPart[]} */
    const parts = [];
    let sent = 0;
    hexes(hashes).forEach((hash, index) => {
        if (!missing.delete(hash)) return;
        const from = index * chunkBytes;
        const bytes = Math.min(chunkBytes, buffer.byteLength - from);
        const head = new Uint8Array(44);
        head.set(hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
        new DataView(head.buffer).setUint32(36, bytes, true);
        new DataView(head.buffer).setUint32(40, bytes, true);
        parts.push(head, new Uint8Array(buffer, from, bytes));
        sent += bytes;
    });
    if (parts.length > 0) {
        const answer = await api.send('POST', api.url('/chunks'), { body: new Blob(parts), type: 'application/vnd.wharf.chunks', signal, patienceMs: BATCH_PATIENCE_MS });
        const { mismatched } = await answer.json();
        if (mismatched?.length) throw new api.NetworkError(new Error('chunks arrived damaged'));
    }
    return sent;
}

/**
 * Puts a file into a drive, under its name or, where that is taken, the name with a number. Tried again for as long as it takes, until the signal says otherwise.
 * @param {string} room @param {string} path @param {Blob} file
 * @param {{ signal?: AbortSignal, progress?: (doneBytes: number, sentBytes: number) => void, modifiedMs?: number }} [options]
 * @returns {Promise<{ id: string, revision: number, path: string }>}
 */
export async function put(room, path, file, { signal, progress, modifiedMs } = {}) {
    const manifest = await content(file, { signal, progress });
    for (let name = path; ; name = nextName(name)) {
        const op = { op: 'put', path: name, manifest, expect: 'absent', ...(modifiedMs ? { mtime_ns: modifiedMs * 1_000_000 } : {}) };
        const commit = { id: crypto.randomUUID(), ops: [op] };
        try {
            const committed = await again(() => api.post(`/rooms/${room}/commit`, commit), signal);
            const [result] = committed.results;
            if (result) return { id: result.id, revision: result.revision, path: name };
            const node = await again(() => api.get(`/rooms/${room}/node`, { path: name }, signal), signal);
            return { id: node.id, revision: node.revision, path: name };
        } catch (error) {
            if (!(error instanceof api.ApiError) || (error.code !== 'exists' && error.code !== 'stale')) throw error;
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

/** `photo (2).jpg` after `photo.jpg`. @param {string} path */
export function nextName(path) {
    const [, folder, stem, ending] = /** @type {RegExpExecArray} */ (/^(.*\/)?(.+?)(\.[^./]*)?$/.exec(path));
    const numbered = /^(.*) \((\d+)\)$/.exec(stem);
    return `${folder ?? ''}${numbered ? numbered[1] : stem} (${numbered ? Number(numbered[2]) + 1 : 2})${ending ?? ''}`;
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
