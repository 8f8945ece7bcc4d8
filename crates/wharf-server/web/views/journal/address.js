// Which entries of the journal are shown, as the address says it: /journal/entries?tag=garden&from=2026-11-01.

import { isDay, isDayOfYear, zone } from './days.js';

/**
 * @typedef {object} Choice what is '' does not restrict
 * @property {string} tag without its #
 * @property {string} origin a device's name, a door or an address
 * @property {string} on a day of every year, 11-21
 * @property {string} from the first day
 * @property {string} to the last day
 */

/** @type {(keyof Choice)[]} */
export const NAMES = ['tag', 'origin', 'on', 'from', 'to'];

/** @param {URLSearchParams} query @returns {Choice} */
export function choiceOf(query) {
    const text = (/** @type {string} */ name) => query.get(name) ?? '';
    const day = (/** @type {string} */ name) => (isDay(text(name)) ? text(name) : '');
    const on = isDayOfYear(text('on')) ? text('on') : '';
    // A day of every year stands instead of from and to.
    return { tag: text('tag'), origin: text('origin'), on, from: on ? '' : day('from'), to: on ? '' : day('to') };
}

/** Whether nothing restricts. @param {Choice} choice */
export const isEverything = (choice) => NAMES.every((name) => choice[name] === '');

/** The address that shows a choice. @param {Partial<Choice>} choice */
export function addressOf(choice) {
    const pairs = NAMES.filter((name) => choice[name]).map((name) => [name, choice[name] ?? '']);
    const search = new URLSearchParams(pairs).toString();
    return `/journal/entries${search && `?${search}`}`;
}

/** The address of one entry among all. @param {number} position */
export const addressOfEntry = (position) => `/journal/entries?at=${position}`;
/** The address of a day among all. @param {string} day */
export const addressOfDay = (day) => `/journal/entries?day=${day}`;

/** What the API is asked for. @param {Choice} choice */
export function queryOf({ tag, origin, on, from, to }) {
    return { tag: tag || undefined, origin: origin || undefined, day_of_year: on || undefined, from: from || undefined, to: to || undefined, zone: zone() };
}
