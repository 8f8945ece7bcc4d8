// The workers that name chunks. All uploads share them; they end when nobody has needed them for a while.

const IDLE_MS = 20_000;

class Hasher {
    constructor() {
        const count = Math.max(1, Math.min(2, (navigator.hardwareConcurrency ?? 2) - 1));
        this.workers = Array.from({ length: count }, () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
        /** @type {Map<number, { resolve: (value: { buffer: ArrayBuffer, hashes: Uint8Array }) => void, reject: (error: unknown) => void }>} */
        this.waiting = new Map();
        this.last = 0;
        for (const worker of this.workers) {
            worker.onmessage = ({ data }) => {
                const asked = this.waiting.get(data.id);
                if (data.error) asked?.reject(data.error);
                else asked?.resolve(data);
                this.waiting.delete(data.id);
            };
            worker.onerror = (event) => {
                if (hasher === this) hasher = null;
                this.stop(new Error(event.message));
            };
        }
    }

    /** @param {Blob | ArrayBuffer} content @param {Uint32Array} cuts @returns {Promise<{ buffer: ArrayBuffer, hashes: Uint8Array }>} */
    hash(content, cuts) {
        const id = ++this.last;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.workers[id % this.workers.length].postMessage({ id, content, cuts }, content instanceof Blob ? [] : [content]);
        });
    }

    /** @param {unknown} reason */
    stop(reason) {
        for (const worker of this.workers) worker.terminate();
        for (const { reject } of this.waiting.values()) reject(reason);
    }
}

/** @type {Hasher | null} */
let hasher = null;
let users = 0;
let idle = 0;

/**
 * The names of chunks, 32 bytes for each. A buffer is away meanwhile, and comes back; of a blob, the bytes come into the worker alone. Rejects with the browser's
 * own error where a file cannot be read.
 * @param {Blob | ArrayBuffer} content @param {Uint32Array} cuts pairs of where a chunk begins, at a multiple of four, and how many bytes it has
 */
export async function hash(content, cuts) {
    clearTimeout(idle);
    users += 1;
    hasher ??= new Hasher();
    try {
        return await hasher.hash(content, cuts);
    } finally {
        users -= 1;
        if (users === 0) {
            idle = window.setTimeout(() => {
                hasher?.stop(new Error('idle'));
                hasher = null;
            }, IDLE_MS);
        }
    }
}
