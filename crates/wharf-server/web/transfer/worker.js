// Hashes chunks beside the page. Asked { id, buffer, cuts }, it answers { id, buffer, hashes }: the same buffer, and 32 bytes for each pair (from, bytes) of
// `cuts`. Chunks begin at multiples of four.

import { blake3 } from './blake3.js';

addEventListener('message', ({ data: { id, buffer, cuts } }) => {
    const hashes = new Uint8Array(cuts.length * 16);
    for (let index = 0; index < cuts.length; index += 2) hashes.set(blake3(new Uint8Array(buffer, cuts[index], cuts[index + 1])), index * 16);
    postMessage({ id, buffer, hashes }, /** @type {any} */ ({ transfer: [buffer, hashes.buffer] }));
});
