// The middle column of the journal: search, calendar, and what can be chosen of the entries.

import { html, useState } from '../../html.js';
import { t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { isNarrow } from '../../shell/shell.js';
import { addressOf, choiceOf, isEverything } from './address.js';
import { Calendar } from './calendar.js';
import { today } from './days.js';
import { showAll } from './dialogs.js';
import { dayOfYear } from './entries.js';
import { useFetched } from './fetched.js';
import { doorName } from './origins.js';
import { Hits } from './search.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('./dialogs.js').Offer} Offer */
/** @typedef {import('./address.js').Choice} Choice */

/** How many of many are shown. */
const SHOWN_MAX = 12;

/** @param {{ room: Room, place: import('../../router.js').Place }} props */
export function Sidebar({ room, place }) {
    const [text, setText] = useState('');
    const choice = choiceOf(place.query);
    const wanted = text.trim();
    return html`
        <div class="head">
            <label class="search-box grow"><${Icon} name="search" /><span class="sr-only">${t('journal.search')}</span>
                <input type="search" placeholder=${t('journal.search')} autocomplete="off" value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
                    onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') setText(''); }} /></label>
        </div>
        ${wanted ? html`<${Hits} key=${room.id} room=${room} text=${wanted} />` : html`
            <div class="scroll journal-side inset-focus" role="group" aria-label=${t('journal.side')} tabindex="0">
                <${Links} place=${place} choice=${choice} />
                <${Calendar} room=${room} day=${place.query.get('day') ?? ''} choice=${choice} />
                <${Tags} room=${room} choice=${choice} />
                <${Origins} room=${room} choice=${choice} />
            </div>
        `}
    `;
}

/** @param {{ place: import('../../router.js').Place, choice: Choice }} props */
function Links({ place, choice }) {
    const isElsewhere = place.path[1] === 'elsewhere';
    // On a narrow screen none of them is shown beside the list.
    const isBeside = !isNarrow.value;
    const on = today().slice(5);
    const links = /** @type {const} */ ([
        ['journal', addressOf({}), t('journal.all'), isBeside && !isElsewhere && isEverything(choice)],
        ['clock', addressOf({ on }), t('journal.onthisday', { day: dayOfYear(on) }), isBeside && !isElsewhere && choice.on === on],
        ['plus', '/journal/elsewhere', t('journal.elsewhere'), isBeside && isElsewhere],
    ]);
    return html`
        <nav aria-label=${t('journal.parts')}><ul>
            ${links.map(([icon, address, name, isOpen]) => html`<li key=${address}><a class="section-link inset-focus" href=${address} aria-current=${isOpen ? 'page' : undefined}><${Icon} name=${icon} /><span class="one-line grow">${name}</span></a></li>`)}
        </ul></nav>
    `;
}

/** @param {{ room: Room, choice: Choice }} props */
function Tags({ room, choice }) {
    /** @type {import('../../types').DiaryTags | null} */
    const tags = useFetched(`/rooms/${room.id}/diary/tags`, undefined, room.head);
    const offers = (tags?.items ?? []).map(({ tag, count }) => ({ name: `#${tag}`, count, isChosen: choice.tag === tag, address: addressOf({ ...choice, tag: choice.tag === tag ? '' : tag }) }));
    return html`<${Offers} title=${t('journal.tags')} offers=${offers} />`;
}

/** Devices, doors and addresses: each by itself, with what came from there. @param {{ room: Room, choice: Choice }} props */
function Origins({ room, choice }) {
    /** @type {import('../../types').DiaryOrigins | null} */
    const origins = useFetched(`/rooms/${room.id}/diary/origins`, undefined, room.head);
    const sum = (/** @type {'device' | 'door' | 'address'} */ part) => {
        /** @type {Map<string, number>} */
        const counts = new Map();
        for (const origin of origins?.items ?? []) {
            const name = origin[part];
            if (name) counts.set(name, (counts.get(name) ?? 0) + origin.count);
        }
        return [...counts].sort(([one, count], [other, more]) => more - count || one.localeCompare(other)).map(([origin, count]) => {
            const isChosen = choice.origin === origin;
            return { name: part === 'door' ? doorName(origin) : origin, count, isChosen, address: addressOf({ ...choice, origin: isChosen ? '' : origin }) };
        });
    };
    return html`
        <${Offers} title=${t('journal.devices')} offers=${sum('device')} />
        <${Offers} title=${t('journal.doors')} offers=${sum('door')} />
        <${Offers} title=${t('journal.addresses')} offers=${sum('address')} />
    `;
}

/** @param {{ title: string, offers: Offer[] }} props */
function Offers({ title, offers }) {
    if (offers.length === 0) return null;
    const id = `journal-offers-${title.replace(/\s/g, '-')}`;
    return html`
        <section class="journal-offer-group" aria-labelledby=${id}>
            <h2 id=${id}>${title}</h2>
            <ul class="journal-chips">
                ${offers.slice(0, SHOWN_MAX).map(({ name, count, address, isChosen }) => html`
                    <li key=${name}><a class="journal-chip" href=${address} aria-current=${isChosen ? 'true' : undefined}><bdi class="one-line">${name}</bdi><span class="journal-chip-count" aria-label=${t('journal.count', { n: count })}>${count}</span></a></li>
                `)}
                ${offers.length > SHOWN_MAX && html`<li><button type="button" class="journal-chip" onClick=${() => showAll(title, offers)}>${t('journal.offers.all', { n: offers.length })}</button></li>`}
            </ul>
        </section>
    `;
}
