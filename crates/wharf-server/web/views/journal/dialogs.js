// What the journal asks in dialogs: which days, which of many tags or places.

import { html, useState } from '../../html.js';
import { t } from '../../lang/index.js';
import { Dialog, open } from '../../parts/dialog.js';
import { Field } from '../../parts/form.js';
import { VirtualList } from '../../parts/virtual.js';
import { go } from '../../router.js';

/** @typedef {{ from: string, to: string }} Days '' where a side is open */

/** Asks for a span of days. @param {Days} before @returns {Promise<Days | undefined>} */
export const askDays = ({ from, to }) => open(({ close }) => html`<${ChooseDays} from=${from} to=${to} close=${close} />`);

/** The first and the last day. @param {{ from: string, to: string, setFrom: (day: string) => void, setTo: (day: string) => void }} props */
export const DayFields = ({ from, to, setFrom, setTo }) => html`
    <div class="journal-span">
        <${Field} label=${t('journal.days.from')} type="date" max=${to || undefined} isOptional value=${from} set=${setFrom} />
        <${Field} label=${t('journal.days.to')} type="date" min=${from || undefined} isOptional value=${to} set=${setTo} />
    </div>
`;

/** @param {{ from: string, to: string, close: (days?: Days) => void }} props */
function ChooseDays({ from: firstFrom, to: firstTo, close }) {
    const [from, setFrom] = useState(firstFrom);
    const [to, setTo] = useState(firstTo);
    return html`
        <${Dialog} title=${t('journal.days')} close=${() => close()} class="narrow" onSubmit=${() => close({ from, to })} footer=${html`
            <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
            <button class="button primary">${t('journal.days.go')}</button>
        `}><${DayFields} from=${from} to=${to} setFrom=${setFrom} setTo=${setTo} /><//>
    `;
}

/** @typedef {{ name: string, count: number, address: string, isChosen: boolean }} Offer */

/** Shows many, of which one is gone to. @param {string} title @param {Offer[]} all */
export function showAll(title, all) {
    void open(({ close }) => html`<${All} title=${title} all=${all} close=${close} />`);
}

/** @param {{ title: string, all: Offer[], close: () => void }} props */
function All({ title, all, close }) {
    const [text, setText] = useState('');
    const wanted = text.trim().toLocaleLowerCase();
    const shown = all.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
    return html`
        <${Dialog} title=${title} close=${close} class="narrow">
            <${Field} label=${t('do.search')} type="search" autofocus autocomplete="off" isOptional value=${text} set=${setText} />
            <div class="journal-offers"><${VirtualList} role="list" aria-label=${title} count=${shown.length} guess=${44}
                keyOf=${(/** @type {number} */ index) => shown[index].name}
                render=${(/** @type {number} */ index) => html`<div role="listitem" aria-posinset=${index + 1} aria-setsize=${shown.length}><${Choose} offer=${shown[index]} run=${() => { close(); go(shown[index].address); }} /></div>`} /></div>
        <//>
    `;
}

/** @param {{ offer: Offer, run: () => void }} props */
const Choose = ({ offer, run }) => html`
    <button type="button" class="section-link inset-focus journal-offer" aria-pressed=${String(offer.isChosen)} onClick=${run}>
        <bdi class="grow one-line">${offer.name}</bdi><span class="soft small">${t('journal.count', { n: offer.count })}</span>
    </button>
`;
