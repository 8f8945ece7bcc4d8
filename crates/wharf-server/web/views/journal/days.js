// Days and months as the journal's addresses and the API write them, 2026-11-21 and 2026-11, in this browser's time zone.

/** The name of the time zone. */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @param {number} number @param {number} [digits] */
const digitsOf = (number, digits = 2) => String(number).padStart(digits, '0');

/** The day of a date. @param {Date} date */
const written = (date) => `${digitsOf(date.getFullYear(), 4)}-${digitsOf(date.getMonth() + 1)}-${digitsOf(date.getDate())}`;

/** The day of a time. @param {number} ms */
export const dayOf = (ms) => written(new Date(ms));

export const today = () => dayOf(Date.now());

/** When a day begins. Days that never were give NaN. @param {string} day */
export function beginMs(day) {
    const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
    if (!found) return NaN;
    const [year, month, date] = found.slice(1).map(Number);
    // The constructor takes the years 0 to 99 for those of the twentieth century.
    const begin = new Date(2000, 0, 1);
    begin.setFullYear(year, month - 1, date);
    return written(begin) === day ? begin.getTime() : NaN;
}

/** Whether a text is a day. @param {string} text */
export const isDay = (text) => !Number.isNaN(beginMs(text));

/** Whether a text is a day of a year, such as 11-21; 02-29 is one. @param {string} text */
export const isDayOfYear = (text) => isDay(`2000-${text}`);

/** @param {string} day @param {number} count */
export function plusDays(day, count) {
    const date = new Date(beginMs(day));
    date.setDate(date.getDate() + count);
    return written(date);
}

/** @param {string} month @param {number} count */
export function plusMonths(month, count) {
    const date = new Date(beginMs(`${month}-01`));
    date.setMonth(date.getMonth() + count);
    return written(date).slice(0, 7);
}

/** The same day of another month, or its last where it has none. @param {string} day @param {number} count */
export function sameDayOfMonth(day, count) {
    const month = plusMonths(day.slice(0, 7), count);
    const same = `${month}-${day.slice(8)}`;
    return isDay(same) ? same : plusDays(`${plusMonths(month, 1)}-01`, -1);
}

/** The weeks that a month is in, each of seven days. @param {string} month @param {number} begins the day of the week that comes first, 1 (Monday) to 7 */
export function weeksOf(month, begins) {
    const first = `${month}-01`;
    const before = (new Date(beginMs(first)).getDay() - (begins % 7) + 7) % 7;
    const end = `${plusMonths(month, 1)}-01`;
    const weeks = [];
    for (let day = plusDays(first, -before); day < end; day = plusDays(day, 7)) {
        weeks.push(Array.from({ length: 7 }, (_, index) => plusDays(day, index)));
    }
    return weeks;
}
