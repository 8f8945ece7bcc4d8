// Hashes chunks beside the page. Asked { id, buffer, chunkBytes }, it answers { id, buffer, hashes }: the same buffer, and 32 bytes for each chunk.

import { blake3 } from './blake3.js';

addEventListener('message', ({ data: { id, buffer, chunkBytes } }) => {
    const count = Math.ceil(buffer.byteLength / chunkBytes);
    const hashes = new Uint8Array(count * 32);
    for (let index = 0; index < count; index += 1) {
        const from = index * chunkBytes;
        hashes.set(blake3(new Uint8Array(buffer, from, Math.min(chunkBytes, buffer.byteLength - from))), index * 32);
    }
    postMessage({ id, buffer, hashes }, /** @type {any} */ ({ transfer: [buffer, hashes.buffer] }));
});
