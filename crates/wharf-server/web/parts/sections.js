// A view that is made of sections: their list in the middle column, and the one that is open beside it.

import { html, useLayoutEffect } from '../html.js';
import { t } from '../lang/index.js';
import { back, go, to } from '../router.js';
import { isNarrow } from '../shell/shell.js';
import { Icon } from './icon.js';

/**
 * @typedef {object} Section
 * @property {string} id the second part of its address; its name is the text ROUTE.ID
 * @property {import('./icon.js').IconName} icon
 * @property {import('../vendor/preact.js').ComponentType<any>} show
 * @property {boolean} [isWhole] whether it fills the column and scrolls by itself
 */

/** The two columns of a view. `route` is the first part of its addresses and the beginning of its texts. @param {string} route @param {Section[]} all */
export function sections(route, all) {
    /** The section of an address; the first where it has none. @param {import('../router.js').Place} place */
    const shown = ({ path }) => all.find(({ id }) => id === path[1]) ?? all[0];

    /** @param {{ place: import('../router.js').Place }} props */
    function List({ place }) {
        const open = isNarrow.value ? undefined : shown(place);
        return html`
            <div class="head"><h2>${t(`view.${route}`)}</h2></div>
            <nav class="sections scroll" aria-label=${t(`${route}.sections`)}>
                <ul>
                    ${all.map((section) => html`
                        <li><a class="section-link inset-focus" href=${to(route, section.id)} aria-current=${section === open ? 'page' : undefined}>
                            <${Icon} name=${section.icon} /><span class="one-line grow">${t(`${route}.${section.id}`)}</span>
                        </a></li>
                    `)}
                </ul>
            </nav>
        `;
    }

    /** @param {{ place: import('../router.js').Place }} props */
    function Main({ place }) {
        const section = shown(place);
        const isNamed = place.path[1] === section.id;
        // Before it is drawn: what is shown is never at an address other than its own.
        useLayoutEffect(() => {
            if (!isNamed) go(to(route, section.id), { replace: true });
        }, [isNamed, section.id]);
        const content = html`<${section.show} key=${section.id} />`;
        return html`
            <header class="head">
                ${isNarrow.value && html`<button type="button" class="icon-button" aria-label=${t('do.back')} onClick=${() => back(to(route))}><${Icon} name="back" /></button>`}
                <h2 class="one-line grow">${t(`${route}.${section.id}`)}</h2>
            </header>
            ${section.isWhole ? content : html`<div class="section-content scroll inset-focus" role="group" aria-label=${t(`${route}.${section.id}`)} tabindex="0"><div class="section-column">${content}</div></div>`}
        `;
    }

    return { List, Main };
}
