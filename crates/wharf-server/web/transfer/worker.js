// Reads and hashes chunks beside the page. Asked { id, content, cuts }, it answers { id, hashes } with 32 bytes for each pair (from, bytes) of `cuts`, and with the
// buffer, if `content` was one; or { id, error }. Chunks begin at multiples of four.

import { wide } from './blake3-wide.js';
import { blake3 } from './blake3.js';

/** Null where the browser cannot. */
const loading = wide().catch(() => null);

addEventListener('message', async ({ data: { id, content, cuts } }) => {
    try {
        const buffer = content instanceof Blob ? await content.arrayBuffer() : content;
        const lanes = await loading;
        const hashes = new Uint8Array(cuts.length * 16);
        for (let index = 0; index < cuts.length; index += 2) hashes.set(blake3(new Uint8Array(buffer, cuts[index], cuts[index + 1]), lanes), index * 16);
        if (buffer === content) postMessage({ id, buffer, hashes }, /** @type {any} */ ({ transfer: [buffer, hashes.buffer] }));
        else postMessage({ id, hashes }, /** @type {any} */ ({ transfer: [hashes.buffer] }));
    } catch (error) {
        postMessage({ id, error });
    }
});
