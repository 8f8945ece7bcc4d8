// BLAKE3-256 (https://github.com/BLAKE3-team/BLAKE3-specs), for naming chunks. Written for speed in a worker: the sixteen words of state and of message are
// locals, and the message is permuted between rounds by moving them.

import { INPUT, IV, LANES } from './blake3-wide.js';

const BLOCK = 64;
const CHUNK = 1024;
const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;

/**
 * Compresses a block of sixteen words into `cv`.
 * @param {Int32Array} cv @param {Int32Array} words @param {number} at @param {number} counter @param {number} bytes @param {number} flags
 */
function compress(cv, words, at, counter, bytes, flags) {
    let m0 = words[at], m1 = words[at + 1], m2 = words[at + 2], m3 = words[at + 3], m4 = words[at + 4], m5 = words[at + 5], m6 = words[at + 6], m7 = words[at + 7];
    let m8 = words[at + 8], m9 = words[at + 9], m10 = words[at + 10], m11 = words[at + 11], m12 = words[at + 12], m13 = words[at + 13], m14 = words[at + 14], m15 = words[at + 15];
    let a = cv[0], b = cv[1], c = cv[2], d = cv[3], e = cv[4], f = cv[5], g = cv[6], h = cv[7];
    let i = 0x6a09e667, j = 0xbb67ae85 | 0, k = 0x3c6ef372, l = 0xa54ff53a | 0;
    let n = counter | 0, o = (counter / 0x100000000) | 0, p = bytes, q = flags;
    for (let round = 0; ; round += 1) {
        a = (a + e + m0) | 0; n ^= a; n = (n >>> 16) | (n << 16); i = (i + n) | 0; e ^= i; e = (e >>> 12) | (e << 20);
        a = (a + e + m1) | 0; n ^= a; n = (n >>> 8) | (n << 24); i = (i + n) | 0; e ^= i; e = (e >>> 7) | (e << 25);
        b = (b + f + m2) | 0; o ^= b; o = (o >>> 16) | (o << 16); j = (j + o) | 0; f ^= j; f = (f >>> 12) | (f << 20);
        b = (b + f + m3) | 0; o ^= b; o = (o >>> 8) | (o << 24); j = (j + o) | 0; f ^= j; f = (f >>> 7) | (f << 25);
        c = (c + g + m4) | 0; p ^= c; p = (p >>> 16) | (p << 16); k = (k + p) | 0; g ^= k; g = (g >>> 12) | (g << 20);
        c = (c + g + m5) | 0; p ^= c; p = (p >>> 8) | (p << 24); k = (k + p) | 0; g ^= k; g = (g >>> 7) | (g << 25);
        d = (d + h + m6) | 0; q ^= d; q = (q >>> 16) | (q << 16); l = (l + q) | 0; h ^= l; h = (h >>> 12) | (h << 20);
        d = (d + h + m7) | 0; q ^= d; q = (q >>> 8) | (q << 24); l = (l + q) | 0; h ^= l; h = (h >>> 7) | (h << 25);
        a = (a + f + m8) | 0; q ^= a; q = (q >>> 16) | (q << 16); k = (k + q) | 0; f ^= k; f = (f >>> 12) | (f << 20);
        a = (a + f + m9) | 0; q ^= a; q = (q >>> 8) | (q << 24); k = (k + q) | 0; f ^= k; f = (f >>> 7) | (f << 25);
        b = (b + g + m10) | 0; n ^= b; n = (n >>> 16) | (n << 16); l = (l + n) | 0; g ^= l; g = (g >>> 12) | (g << 20);
        b = (b + g + m11) | 0; n ^= b; n = (n >>> 8) | (n << 24); l = (l + n) | 0; g ^= l; g = (g >>> 7) | (g << 25);
        c = (c + h + m12) | 0; o ^= c; o = (o >>> 16) | (o << 16); i = (i + o) | 0; h ^= i; h = (h >>> 12) | (h << 20);
        c = (c + h + m13) | 0; o ^= c; o = (o >>> 8) | (o << 24); i = (i + o) | 0; h ^= i; h = (h >>> 7) | (h << 25);
        d = (d + e + m14) | 0; p ^= d; p = (p >>> 16) | (p << 16); j = (j + p) | 0; e ^= j; e = (e >>> 12) | (e << 20);
        d = (d + e + m15) | 0; p ^= d; p = (p >>> 8) | (p << 24); j = (j + p) | 0; e ^= j; e = (e >>> 7) | (e << 25);
        if (round === 6) break;
        const t0 = m0, t1 = m1;
        m0 = m2; m2 = m3; m3 = m10; m10 = m12; m12 = m9; m9 = m11; m11 = m5; m5 = t0;
        m1 = m6; m6 = m4; m4 = m7; m7 = m13; m13 = m14; m14 = m15; m15 = m8; m8 = t1;
    }
    cv[0] = a ^ i; cv[1] = b ^ j; cv[2] = c ^ k; cv[3] = d ^ l; cv[4] = e ^ n; cv[5] = f ^ o; cv[6] = g ^ p; cv[7] = h ^ q;
}

const tail = new Uint8Array(BLOCK);
const tailWords = new Int32Array(tail.buffer);
const pair = new Int32Array(16);

/**
 * Hashes one chunk of the tree. @param {Int32Array} cv @param {Uint8Array} bytes @param {Int32Array} words @param {number} from @param {number} to @param {number} counter @param {number} root
 */
function hashChunk(cv, bytes, words, from, to, counter, root) {
    cv.set(IV);
    let flags = CHUNK_START;
    let at = from;
    for (; to - at > BLOCK; at += BLOCK) {
        compress(cv, words, at >> 2, counter, BLOCK, flags);
        flags = 0;
    }
    tail.fill(0);
    tail.set(bytes.subarray(at, to));
    compress(cv, tailWords, 0, counter, to - at, flags | CHUNK_END | root);
}

/** One above two: writes over the first half of them. @param {Int32Array} cvs @param {number} index of the one above @param {number} root */
function parent(cvs, index, root) {
    pair.set(cvs.subarray(index * 16, index * 16 + 16));
    const cv = cvs.subarray(index * 8, index * 8 + 8);
    cv.set(IV);
    compress(cv, pair, 0, 0, BLOCK, PARENT | root);
}

/**
 * The hash of some bytes, which begin at a multiple of four in their buffer.
 * @param {Uint8Array} bytes @param {import('./blake3-wide.js').Wide | null} [wide] what does most of it faster
 * @returns {Uint8Array}
 */
export function blake3(bytes, wide = null) {
    const count = Math.max(1, Math.ceil(bytes.length / CHUNK));
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    // The whole chunks that make full groups, and where all that stands above the chunks is: behind them.
    const groups = wide ? Math.floor(bytes.length / CHUNK / LANES) : 0;
    const at = INPUT + groups * LANES * CHUNK;
    const space = wide?.memory(groups * LANES * CHUNK + count * 32);
    const cvs = space ? new Int32Array(space, at, count * 8) : new Int32Array(count * 8);
    if (wide && space && groups > 0) {
        new Uint8Array(space, INPUT).set(bytes.subarray(0, groups * LANES * CHUNK));
        wide.hash(INPUT, groups, CHUNK / BLOCK, 0, 1, CHUNK_START, 0, CHUNK_END, at);
    }
    for (let index = groups * LANES; index < count; index += 1) {
        const from = index * CHUNK;
        hashChunk(cvs.subarray(index * 8, index * 8 + 8), bytes, words, from, Math.min(bytes.length, from + CHUNK), index, count === 1 ? ROOT : 0);
    }
    // Level after level, two become one, and one that is left over goes up as it is.
    for (let left = count; left > 1; left = Math.ceil(left / 2)) {
        const pairs = left >> 1;
        const together = wide && left > 2 ? Math.floor(pairs / LANES) : 0;
        if (wide && together > 0) wide.hash(at, together, 1, 0, 0, 0, PARENT, 0, at);
        for (let index = together * LANES; index < pairs; index += 1) parent(cvs, index, left === 2 ? ROOT : 0);
        if (left % 2 === 1) cvs.copyWithin(pairs * 8, (left - 1) * 8, left * 8);
    }
    return new Uint8Array(cvs.slice(0, 8).buffer);
}
