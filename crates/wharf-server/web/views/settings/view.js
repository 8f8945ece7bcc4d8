// The settings: the own account, its devices, its passwords for gateways, and how this browser shows the page.

import { html, useEffect } from '../../html.js';
import { t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { back, go, to } from '../../router.js';
import { isNarrow } from '../../shell/shell.js';
import { Account } from './account.js';
import { Appearance } from './appearance.js';
import { Devices } from './devices.js';
import { Gateways } from './gateways.js';

/** @type {{ id: string, icon: import('../../parts/icon.js').IconName, show: import('../../vendor/preact.js').ComponentType<any> }[]} */
const SECTIONS = [
    { id: 'account', icon: 'user', show: Account },
    { id: 'devices', icon: 'shield', show: Devices },
    { id: 'gateways', icon: 'lock', show: Gateways },
    { id: 'appearance', icon: 'theme', show: Appearance },
];

/** The section of an address; the first where it has none. @param {import('../../router.js').Place} place */
const shown = ({ path }) => SECTIONS.find(({ id }) => id === path[1]) ?? SECTIONS[0];

/** @param {{ place: import('../../router.js').Place }} props */
export function List({ place }) {
    const open = isNarrow.value ? undefined : shown(place);
    return html`
        <div class="head"><h2>${t('view.settings')}</h2></div>
        <nav class="settings-sections scroll" aria-label=${t('settings.sections')}>
            <ul>
                ${SECTIONS.map((section) => html`
                    <li><a class="settings-section inset-focus" href=${to('settings', section.id)} aria-current=${section === open ? 'page' : undefined}>
                        <${Icon} name=${section.icon} /><span class="one-line grow">${t(`settings.${section.id}`)}</span>
                    </a></li>
                `)}
            </ul>
        </nav>
    `;
}

/** @param {{ place: import('../../router.js').Place }} props */
export function Main({ place }) {
    const section = shown(place);
    const isWhole = place.path[1] === section.id;
    useEffect(() => {
        if (!isWhole) go(to('settings', section.id), { replace: true });
    }, [isWhole, section.id]);
    return html`
        <header class="head">
            ${isNarrow.value && html`<button type="button" class="icon-button" aria-label=${t('do.back')} onClick=${() => back(to('settings'))}><${Icon} name="back" /></button>`}
            <h2 class="one-line grow">${t(`settings.${section.id}`)}</h2>
        </header>
        <div class="settings-content scroll"><div class="settings-column"><${section.show} key=${section.id} /></div></div>
    `;
}
