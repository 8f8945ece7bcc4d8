// The page's texts, in the language of the person. `t('key', { name })` gives one; a component that calls it shows the new text when
// the language changes. The texts of the frame are in this folder; those of a view in the view's own `lang/`, with keys that begin with the view's id.

import { signal } from '../html.js';

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>>} Text A text, or one for each plural form of `n`. */
/** @typedef {Record<string, Text>} Texts */
/** @typedef {(language: string) => Promise<{ default: Texts }>} Loader */

/** The languages there are, in their own names. */
export const LANGUAGES = [['en', 'English'], ['zh', '中文'], ['pt', 'Português']];

const STORED = 'wharf-language';

export const language = signal(chosen());
/** @type {import('../vendor/signals.js').Signal<Texts>} */
const texts = signal({});
/** The texts of the frame. @type {Loader} */
const frame = (name) => import(`./${name}.js`);
/** Whose texts are wanted, and when they are there. @type {Map<Loader, Promise<void>>} */
const added = new Map();

/** The language that was chosen, or the first one that the browser asks for and that is there. */
function chosen() {
    const known = LANGUAGES.map(([code]) => code);
    const wanted = [localStorage.getItem(STORED) ?? '', ...navigator.languages].map((name) => name.split('-')[0]);
    return wanted.find((name) => known.includes(name)) ?? 'en';
}

/** Loads the texts of the frame. */
export async function begin() {
    document.documentElement.lang = language.value;
    await addTexts(frame);
}

/** Changes the language. @param {string} name */
export async function setLanguage(name) {
    let loaders;
    let modules;
    // Those that are added meanwhile are wanted as well.
    do {
        loaders = [...added.keys()];
        modules = await Promise.all(loaders.map((load) => load(name)));
    } while (loaders.length !== added.size);
    localStorage.setItem(STORED, name);
    document.documentElement.lang = name;
    texts.value = Object.assign({}, ...modules.map((module) => module.default));
    language.value = name;
}

/** Adds texts, and is done when they are there: `addTexts((language) => import(`./lang/${language}.js`))`. @param {Loader} load */
export function addTexts(load) {
    let adding = added.get(load);
    if (!adding) {
        adding = add(load).catch((error) => {
            added.delete(load);
            throw error;
        });
        added.set(load, adding);
    }
    return adding;
}

/** @param {Loader} load */
async function add(load) {
    for (;;) {
        const name = language.value;
        const module = await load(name);
        if (name !== language.value) continue;
        texts.value = { ...texts.value, ...module.default };
        return;
    }
}

/**
 * A text. `{name}` in it stands for the value of that name; `n` chooses the plural form.
 * @param {string} key @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values) {
    const found = texts.value[key];
    if (found === undefined) return key;
    const text = typeof found === 'string' ? found : (found[plural(Number(values?.n ?? 0))] ?? found.other ?? key);
    if (!values) return text;
    return text.replace(/\{(\w+)\}/g, (whole, name) => {
        const value = values[name];
        if (value === undefined) return whole;
        return typeof value === 'number' ? value.toLocaleString(locale()) : isolated(value);
    });
}

/** What sets or ends a direction of writing; and the letters of scripts that are written from the right. */
const DIRECTION = /[\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/g;
const FROM_RIGHT = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFF]/;

/** A name without signs that would turn round what stands beside it. @param {string} name */
export const plainName = (name) => name.replace(DIRECTION, '');

/** A name in a sentence: it cannot turn round what stands beside it. @param {string} value */
function isolated(value) {
    const plain = plainName(value);
    return FROM_RIGHT.test(plain) ? `\u2068${plain}\u2069` : plain;
}

/** @param {number} n */
const plural = (n) => new Intl.PluralRules(language.value).select(n);

/** The language as this person's system has it: with its own way to write times and numbers. */
const locale = () => navigator.languages.find((name) => name.split('-')[0] === language.value) ?? language.value;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
    const key = locale() + JSON.stringify(options);
    let found = formats.get(key);
    if (!found) formats.set(key, (found = new Intl.DateTimeFormat(locale(), options)));
    return found;
}

/** 14:05. @param {number} ms */
export const timeOfDay = (ms) => format({ hour: '2-digit', minute: '2-digit' }).format(ms);
/** Everything, for a title. @param {number} ms */
export const dateAndTime = (ms) => format({ dateStyle: 'full', timeStyle: 'medium' }).format(ms);
/** 3 Oct 2026. @param {number} ms */
export const date = (ms) => format({ dateStyle: 'medium' }).format(ms);

/** A time in other words: `inWords(ms, { month: 'long', year: 'numeric' })`. @param {number} ms @param {Intl.DateTimeFormatOptions} options */
export const inWords = (ms, options) => format(options).format(ms);

/** The day that weeks begin with where this person is: 1 is Monday, 7 Sunday. */
export function weekBegins() {
    const found = /** @type {any} */ (new Intl.Locale(locale()));
    return /** @type {number} */ ((found.getWeekInfo?.() ?? found.weekInfo)?.firstDay ?? 1);
}

/** @param {number} ms */
const dayNumber = (ms) => {
    const day = new Date(ms);
    return Math.round(Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()) / 86_400_000);
};

/** Today, yesterday, a day of the week, or a date. @param {number} ms */
export function day(ms) {
    const ago = dayNumber(Date.now()) - dayNumber(ms);
    if (ago === 0) return t('day.today');
    if (ago === 1) return t('day.yesterday');
    const isThisYear = new Date(ms).getFullYear() === new Date().getFullYear();
    return format(isThisYear ? { weekday: 'long', day: 'numeric', month: 'long' } : { dateStyle: 'long' }).format(ms);
}

/** The time for a list: 14:05 today, else the day. @param {number} ms */
export function shortTime(ms) {
    const ago = dayNumber(Date.now()) - dayNumber(ms);
    if (ago === 0) return timeOfDay(ms);
    if (ago === 1) return t('day.yesterday');
    if (ago > 1 && ago < 7) return format({ weekday: 'short' }).format(ms);
    const isThisYear = new Date(ms).getFullYear() === new Date().getFullYear();
    return format(isThisYear ? { day: 'numeric', month: 'short' } : { day: 'numeric', month: 'numeric', year: '2-digit' }).format(ms);
}

/** Whether two times are on one day. @param {number} a @param {number} b */
export const isSameDay = (a, b) => dayNumber(a) === dayNumber(b);

/** A number of bytes: 3.2 MiB. @param {number} bytes */
export function size(bytes) {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let index = 0;
    let value = bytes;
    while (value >= 1024 && index < units.length - 1) {
        value /= 1024;
        index += 1;
    }
    const digits = index === 0 || value >= 100 ? 0 : 1;
    return `${value.toLocaleString(locale(), { maximumFractionDigits: digits })} ${units[index]}`;
}
