// A month with the days that have entries. One day takes the focus: arrows move it, Page Up and Page Down go from month to month (with Shift from year
// to year), Home and End to the ends of the week.

import { html, useLayoutEffect, useMemo, useRef, useState } from '../../html.js';
import { inWords, t, weekBegins } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { go } from '../../router.js';
import { addressOf, addressOfDay } from './address.js';
import { askDays } from './dialogs.js';
import { beginMs, plusDays, plusMonths, sameDayOfMonth, today, weeksOf, zone } from './days.js';
import { useFetched } from './fetched.js';

/** @typedef {import('../../types').Room} Room */

/** @param {{ room: Room, day: string, choice: import('./address.js').Choice }} props `day` is the one that was gone to, or '' */
export function Calendar({ room, day, choice }) {
    const [focused, setFocused] = useState(day || today());
    const [wantsFocus, setWantsFocus] = useState(false);
    // Keys may come faster than the month is drawn.
    const at = useRef(focused);
    const table = useRef(/** @type {HTMLElement | null} */ (null));
    const month = focused.slice(0, 7);
    const weeks = useMemo(() => weeksOf(month, weekBegins()), [month]);
    const first = weeks[0][0];
    const last = weeks[weeks.length - 1][6];
    /** @type {import('../../types').DiaryDays | null} */
    const marked = useFetched(`/rooms/${room.id}/diary/days`, { from: first, to: last, zone: zone() }, room.head);
    const counts = useMemo(() => new Map((marked?.items ?? []).map((item) => [item.day, item.count])), [marked]);
    useLayoutEffect(() => {
        if (day) setFocused(day);
    }, [day]);
    useLayoutEffect(() => {
        at.current = focused;
        if (!wantsFocus) return;
        setWantsFocus(false);
        /** @type {HTMLElement | null | undefined} */ (table.current?.querySelector('[tabindex="0"]'))?.focus();
    }, [focused, wantsFocus]);

    const key = (/** @type {KeyboardEvent} */ event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        const from = at.current;
        const weekOf = () => weeksOf(from.slice(0, 7), weekBegins()).find((days) => days.includes(from)) ?? [from];
        const months = event.shiftKey ? 12 : 1;
        const next = {
            ArrowLeft: () => plusDays(from, -1), ArrowRight: () => plusDays(from, 1), ArrowUp: () => plusDays(from, -7), ArrowDown: () => plusDays(from, 7),
            Home: () => weekOf()[0], End: () => weekOf().at(-1) ?? from, PageUp: () => sameDayOfMonth(from, -months), PageDown: () => sameDayOfMonth(from, months),
        }[event.key];
        if (next) {
            at.current = next();
            setFocused(at.current);
            setWantsFocus(true);
        } else if (event.key === 'Enter') go(addressOfDay(from));
        else return;
        event.preventDefault();
    };
    const choose = async () => {
        const days = await askDays(choice);
        if (days) go(addressOf({ ...choice, on: '', ...days }));
    };
    const title = inWords(beginMs(`${month}-01`), { month: 'long', year: 'numeric' });
    return html`
        <section class="journal-calendar" aria-label=${t('journal.calendar')}>
            <div class="row">
                <h2 class="grow" aria-live="polite">${title}</h2>
                <button type="button" class="icon-button" aria-label=${t('journal.month.before')} onClick=${() => setFocused(sameDayOfMonth(focused, -1))}><${Icon} name="back" /></button>
                <button type="button" class="icon-button" aria-label=${t('journal.month.after')} onClick=${() => setFocused(sameDayOfMonth(focused, 1))}><${Icon} name="chevron" /></button>
            </div>
            <table role="grid" aria-label=${title} ref=${table} onKeyDown=${key}>
                <thead><tr>${weeks[0].map((name) => html`<th scope="col" abbr=${inWords(beginMs(name), { weekday: 'long' })}>${inWords(beginMs(name), { weekday: 'narrow' })}</th>`)}</tr></thead>
                <tbody>${weeks.map((days) => html`<tr key=${days[0]}>${days.map((one) => {
                    const count = counts.get(one) ?? 0;
                    const name = inWords(beginMs(one), { dateStyle: 'full' });
                    return html`<td key=${one}><button type="button" class=${`journal-date inset-focus ${one.slice(0, 7) === month ? '' : 'is-other'} ${count > 0 ? 'has-entries' : ''}`}
                        tabindex=${one === focused ? 0 : -1} aria-label=${count > 0 ? t('journal.day.entries', { day: name, n: count }) : name}
                        aria-current=${one === today() ? 'date' : undefined} aria-pressed=${one === day ? 'true' : undefined}
                        onClick=${() => { setFocused(one); go(addressOfDay(one)); }}>${Number(one.slice(8))}</button></td>`;
                })}</tr>`)}</tbody>
            </table>
            <div class="row journal-calendar-foot">
                <button type="button" class="button quiet" onClick=${() => { setFocused(today()); go(addressOfDay(today())); }}>${t('day.today')}</button>
                <button type="button" class="button quiet" onClick=${choose}>${t('journal.days')}</button>
            </div>
        </section>
    `;
}
