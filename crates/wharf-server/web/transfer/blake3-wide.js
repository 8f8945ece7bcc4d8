// The part of BLAKE3 (see blake3.js) that takes the time, on four inputs side by side: WebAssembly with SIMD, assembled here when a worker begins.
// What the browser runs is what can be read below, and nothing is built beforehand. Where a browser has no SIMD, or forbids it, blake3.js does all
// by itself.

/** The initial state, and what every block is mixed with. */
export const IV = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
/** Inputs at a time. */
export const LANES = 4;
/** Where input may begin in the memory; below are the words of the block that is mixed, those of the four lanes together. */
export const INPUT = 256;

const BLOCK = 64;
const PAGE_BYTES = 65_536;
const ROUNDS = 7;
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
/** The words of state that the eight parts of a round mix: columns, then diagonals. */
const MIXES = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];

// Types and instructions (https://webassembly.github.io/spec/core/binary/instructions.html).
const I32 = 0x7f;
const V128 = 0x7b;
const NOTHING = 0x40;
const LOOP = 0x03, END = 0x0b, BRANCH_IF = 0x0d, SELECT = 0x1b, LOCAL_GET = 0x20, LOCAL_SET = 0x21, LOCAL_TEE = 0x22;
const I32_CONST = 0x41, I32_EQ = 0x46, I32_ADD = 0x6a, I32_SUB = 0x6b, I32_OR = 0x72, I32_SHL = 0x74;
const SIMD = 0xfd, V128_LOAD = 0, V128_STORE = 11, V128_CONST = 12, I8X16_SHUFFLE = 13, I32X4_SPLAT = 17, V128_OR = 80, V128_XOR = 81;
const I32X4_SHL = 171, I32X4_SHR_U = 173, I32X4_ADD = 174, I32X4_MUL = 181;
/** Addresses are multiples of 16: of two to the fourth. */
const ALIGNED = 4;

/** A number in LEB128. @param {number} value @returns {number[]} */
const number = (value) => (value > 0x7f ? [(value & 0x7f) | 0x80, ...number(value >>> 7)] : [value]);
/** A list with its length before it. @param {number[][]} items */
const list = (items) => [...number(items.length), ...items.flat()];
/** @param {number} id @param {number[]} content */
const section = (id, content) => [id, ...number(content.length), ...content];
/** @param {string} text */
const name = (text) => list([...text].map((letter) => [letter.charCodeAt(0)]));

const get = (/** @type {number} */ local) => [LOCAL_GET, ...number(local)];
const set = (/** @type {number} */ local, /** @type {number[][]} */ ...value) => [...value.flat(), LOCAL_SET, ...number(local)];
/** Of numbers below 64, which need one byte with their sign. */
const small = (/** @type {number} */ value) => [I32_CONST, value];
const add = (/** @type {number[]} */ a, /** @type {number[]} */ b) => [...a, ...b, I32_ADD];
const subtract = (/** @type {number[]} */ a, /** @type {number[]} */ b) => [...a, ...b, I32_SUB];
const or = (/** @type {number[]} */ a, /** @type {number[]} */ b) => [...a, ...b, I32_OR];
const shifted = (/** @type {number[]} */ a, /** @type {number} */ bits) => [...a, ...small(bits), I32_SHL];
const isEqual = (/** @type {number[]} */ a, /** @type {number[]} */ b) => [...a, ...b, I32_EQ];
/** A value where a condition holds, else zero. */
const only = (/** @type {number[]} */ value, /** @type {number[]} */ condition) => [...value, ...small(0), ...condition, SELECT];
/** Again, as long as the last thing in it is not zero. */
const repeat = (/** @type {number[][]} */ ...body) => [LOOP, NOTHING, ...body.flat(), BRANCH_IF, 0, END];

const simd = (/** @type {number} */ code) => [SIMD, ...number(code)];
const load = (/** @type {number[]} */ at, /** @type {number} */ offset) => [...at, ...simd(V128_LOAD), ALIGNED, ...number(offset)];
const store = (/** @type {number[]} */ at, /** @type {number} */ offset, /** @type {number[]} */ value) => [...at, ...value, ...simd(V128_STORE), ALIGNED, ...number(offset)];
const constant = (/** @type {number[]} */ ...words) => [...simd(V128_CONST), ...new Uint8Array(Int32Array.from(words).buffer)];
const all = (/** @type {number[]} */ value) => [...value, ...simd(I32X4_SPLAT)];
const plus = (/** @type {number[]} */ a, /** @type {number[]} */ b) => [...a, ...b, ...simd(I32X4_ADD)];
const times = (/** @type {number[]} */ a, /** @type {number[]} */ b) => [...a, ...b, ...simd(I32X4_MUL)];
const xor = (/** @type {number[]} */ a, /** @type {number[]} */ b) => [...a, ...b, ...simd(V128_XOR)];
const bytesOf = (/** @type {number[]} */ a, /** @type {number[]} */ b, /** @type {number[]} */ which) => [...a, ...b, ...simd(I8X16_SHUFFLE), ...which];
/** Words of two vectors: 0 to 3 of the first, 4 to 7 of the second. */
const wordsOf = (/** @type {number[]} */ a, /** @type {number[]} */ b, /** @type {number[]} */ which) => bytesOf(a, b, which.flatMap((word) => [0, 1, 2, 3].map((byte) => word * 4 + byte)));

// Parameters of the function, and its locals.
const [FROM, GROUPS, BLOCKS, COUNTER, STEP, FIRST, EVERY, LAST, TO, STRIDE, INDEX, FLAGS] = Array.from({ length: 12 }, (_, local) => local);
const LANE = [12, 13, 14, 15];
const STATE = Array.from({ length: 16 }, (_, word) => 16 + word);
const ROW = [32, 33, 34, 35];
const HALF = [36, 37, 38, 39];
const COUNTERS = 40;

/** Turns a local to the right in each of its words. @param {number} local @param {number} bits */
function turn(local, bits) {
    // Whole bytes move; the others are shifted both ways.
    if (bits % 8 === 0) return set(local, bytesOf(get(local), get(local), Array.from({ length: 16 }, (_, byte) => (byte & ~3) + ((byte + bits / 8) & 3))));
    return set(local, [...get(local), ...small(bits), ...simd(I32X4_SHR_U), ...get(local), ...small(32 - bits), ...simd(I32X4_SHL), ...simd(V128_OR)]);
}

/** Mixes two words of the message into four of the state. @param {number[]} words @param {number} x @param {number} y */
function mix(words, x, y) {
    const [a, b, c, d] = words.map((word) => STATE[word]);
    const half = (/** @type {number} */ word, /** @type {number} */ first, /** @type {number} */ second) => [
        ...set(a, plus(plus(get(a), get(b)), load(small(0), word * 16))), ...set(d, xor(get(d), get(a))), ...turn(d, first),
        ...set(c, plus(get(c), get(d))), ...set(b, xor(get(b), get(c))), ...turn(b, second),
    ];
    return [...half(x, 16, 12), ...half(y, 8, 7)];
}

/** All rounds on a block. */
function rounds() {
    /** @type {number[]} */
    const code = [];
    let words = PERMUTATION.map((_, word) => word);
    for (let round = 0; round < ROUNDS; round += 1) {
        MIXES.forEach((state, part) => code.push(...mix(state, words[part * 2], words[part * 2 + 1])));
        words = PERMUTATION.map((word) => words[word]);
    }
    return code;
}

/** The four vectors in ROW as columns instead of rows. @returns {number[][]} */
function turned() {
    const [a, b, c, d] = ROW.map(get);
    const [ab, cd, abHigh, cdHigh] = HALF;
    return [
        [...set(ab, wordsOf(a, b, [0, 4, 1, 5])), ...set(cd, wordsOf(c, d, [0, 4, 1, 5])), ...set(abHigh, wordsOf(a, b, [2, 6, 3, 7])), ...set(cdHigh, wordsOf(c, d, [2, 6, 3, 7]))],
        wordsOf(get(ab), get(cd), [0, 1, 4, 5]), wordsOf(get(ab), get(cd), [2, 3, 6, 7]), wordsOf(get(abHigh), get(cdHigh), [0, 1, 4, 5]), wordsOf(get(abHigh), get(cdHigh), [2, 3, 6, 7]),
    ];
}

/** The words of a block of each lane, put together. */
function gather() {
    const code = [];
    for (let quarter = 0; quarter < 4; quarter += 1) {
        const [prepared, ...columns] = turned();
        code.push(...LANE.flatMap((lane, row) => set(ROW[row], load(get(lane), quarter * 16))), ...prepared);
        code.push(...columns.flatMap((column, word) => store(small(0), (quarter * 4 + word) * 16, column)));
    }
    return code;
}

/** What came out, lane after lane. */
function scatter() {
    const code = [];
    for (let half = 0; half < 2; half += 1) {
        const [prepared, ...lanes] = turned();
        code.push(...ROW.flatMap((row, word) => set(row, get(STATE[half * 4 + word]))), ...prepared);
        code.push(...lanes.flatMap((lane, index) => store(get(TO), index * 32 + half * 16, lane)));
    }
    return code;
}

/** The function: `groups` times four inputs of `blocks` blocks, one after the other. */
const code = [
    ...set(STRIDE, shifted(get(BLOCKS), 6)),
    ...repeat(
        ...STATE.slice(0, 8).map((local, word) => set(local, constant(IV[word], IV[word], IV[word], IV[word]))),
        set(COUNTERS, plus(all(get(COUNTER)), times(all(get(STEP)), constant(0, 1, 2, 3)))),
        ...LANE.map((lane, index) => set(lane, index === 0 ? get(FROM) : add(get(LANE[index - 1]), get(STRIDE)))),
        set(INDEX, small(0)),
        repeat(
            gather(),
            ...STATE.slice(8, 12).map((local, word) => set(local, constant(IV[word], IV[word], IV[word], IV[word]))),
            set(FLAGS, or(get(EVERY), only(get(FIRST), isEqual(get(INDEX), small(0))))),
            set(INDEX, add(get(INDEX), small(1))),
            set(FLAGS, or(get(FLAGS), only(get(LAST), isEqual(get(INDEX), get(BLOCKS))))),
            set(STATE[12], get(COUNTERS)), set(STATE[13], constant(0, 0, 0, 0)), set(STATE[14], constant(BLOCK, BLOCK, BLOCK, BLOCK)), set(STATE[15], all(get(FLAGS))),
            rounds(),
            ...STATE.slice(0, 8).map((local, word) => set(local, xor(get(local), get(STATE[word + 8])))),
            ...LANE.map((lane) => set(lane, add(get(lane), shifted(small(1), 6)))),
            subtract(get(BLOCKS), get(INDEX)),
        ),
        scatter(),
        set(FROM, add(get(FROM), shifted(get(STRIDE), 2))),
        set(TO, add(get(TO), shifted(small(1), 7))),
        set(COUNTER, add(get(COUNTER), shifted(get(STEP), 2))),
        [...subtract(get(GROUPS), small(1)), LOCAL_TEE, ...number(GROUPS)],
    ),
    END,
];

/** The module: one memory, and one function of nine numbers. */
const locals = list([[...number(LANE[3] + 1 - STRIDE), I32], [...number(COUNTERS + 1 - STATE[0]), V128]]);
const body = [...locals, ...code];
const MODULE = Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, list([[0x60, ...list(Array.from({ length: STRIDE }, () => [I32])), 0]])),
    ...section(3, list([[0]])),
    ...section(5, list([[0, 1]])),
    ...section(7, list([[...name('memory'), 2, 0], [...name('hash'), 0, 0]])),
    ...section(10, list([[...number(body.length), ...body]])),
]);

/**
 * @typedef {object} Wide
 * @property {(bytes: number) => ArrayBuffer} memory with at least so many bytes from INPUT on; what was there before may have moved into a new buffer
 * @property {(from: number, groups: number, blocks: number, counter: number, step: number, first: number, every: number, last: number, to: number) => void} hash
 *   hashes `groups` (one at least) times LANES inputs of `blocks` blocks each, which lie one after the other from `from` on, into as many times 32 bytes at `to`, which
 *   may be where the input was. `counter` is that of the first, and `step` what the next has more; the flags are those of the first, of every and of the last block.
 */

/** The module, ready to run. @returns {Promise<Wide>} */
export async function wide() {
    const { instance } = await WebAssembly.instantiate(MODULE);
    const { memory, hash } = /** @type {{ memory: WebAssembly.Memory, hash: Wide['hash'] }} */ (/** @type {unknown} */ (instance.exports));
    return {
        memory(bytes) {
            const missing = INPUT + bytes - memory.buffer.byteLength;
            if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
            return memory.buffer;
        },
        hash,
    };
}
