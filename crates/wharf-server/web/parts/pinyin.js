// Chinese names by how they are read: 张三 is found by zhangsan, zhang s and zs. A reading is the place of a character among those that the browser sorts
// by pinyin, between the first characters of each syllable (vendor/pinyin.js), so the table is small. It has one reading for each character. The table
// is loaded when somebody first looks for letters among names that have such characters.

import { signal } from '../html.js';

/** @typedef {{ firsts: string[], sounds: string[], exceptions: Record<string, string> }} Table */

/** First characters that Unicode has put elsewhere since the table was made; null where a syllable has none any more. @type {Record<string, string | null>} */
const MOVED = { BEI: '卑', CHUA: '歘', LE: '仂', LEI: '雷', N: null, QIE: '且' };

/** @type {import('../vendor/signals.js').Signal<Table | null>} */
const table = signal(null);
/** @type {Promise<void> | null} */
let loading = null;
const HAN = /\p{Script=Han}/u;
const order = new Intl.Collator('zh-Hans-CN-u-co-pinyin');
/** What is looked for may have so many letters, and a name so many characters. */
const LETTERS_MAX = 40;
const CHARACTERS_MAX = 100;

/** Loads the table. */
export async function load() {
    loading ??= import('../vendor/pinyin.js').then(
        ({ UNIHANS, PINYINS, EXCEPTIONS }) => {
            const rows = PINYINS.map((sound, index) => ({ sound, first: sound in MOVED ? MOVED[sound] : UNIHANS[index] })).filter(({ first }) => first !== null);
            table.value = { firsts: rows.map(({ first }) => first ?? ''), sounds: rows.map(({ sound }) => sound.toLowerCase()), exceptions: EXCEPTIONS };
        },
        (error) => {
            console.warn('no readings of Chinese names', error);
            loading = null;
        },
    );
    await loading;
}

/** How a character is read; itself in lower case where it is not Chinese, or nothing is known. @param {string} character @param {Table} from */
function readingOf(character, { firsts, sounds, exceptions }) {
    if (!HAN.test(character)) return character.toLowerCase();
    if (exceptions[character]) return exceptions[character].toLowerCase();
    let low = 0;
    let high = firsts.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (order.compare(firsts[middle], character) <= 0) low = middle + 1;
        else high = middle;
    }
    return sounds[low - 1] || character;
}

/** @type {Map<string, string[]>} */
const known = new Map();

/** @param {string} name @param {Table} from */
function syllablesOf(name, from) {
    let found = known.get(name);
    if (!found) known.set(name, (found = [...name].slice(0, CHARACTERS_MAX).filter((character) => !/\s/.test(character)).map((character) => readingOf(character, from))));
    return found;
}

/** Whether letters are beginnings of syllables one after another. @param {string[]} syllables @param {number} at @param {string} letters @returns {boolean} */
function goesOn(syllables, at, letters) {
    if (letters === '') return true;
    const syllable = syllables[at];
    if (syllable === undefined) return false;
    for (let length = 1; length <= syllable.length && syllable[length - 1] === letters[length - 1]; length += 1) {
        if (goesOn(syllables, at + 1, letters.slice(length))) return true;
    }
    return false;
}

/**
 * Whether a Chinese name is read so, or has such initials. Before the table is there nothing is; who reads this while drawing draws again when it is.
 * @param {string} name @param {string} wanted
 */
export function soundsLike(name, wanted) {
    const letters = wanted.toLowerCase().replace(/[\s']/g, '').replace(/ü/g, 'v');
    if (!HAN.test(name) || !/^[a-z0-9]+$/.test(letters) || letters.length > LETTERS_MAX) return false;
    const from = table.value;
    if (!from) {
        void load();
        return false;
    }
    const syllables = syllablesOf(name, from);
    return syllables.some((_, at) => goesOn(syllables, at, letters));
}

/** The first characters of the syllables, in their order, for a test. */
export const firstCharacters = () => table.peek()?.firsts ?? [];

/** Whether readings are known yet: for who remembers what `soundsLike` said. */
export const hasReadings = () => table.value !== null;
