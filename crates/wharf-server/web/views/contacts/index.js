// What the frame knows of the contacts before they are loaded.

import { contacts as all } from '../../store/model.js';

/** @type {import('../index.js').View} */
export const contacts = {
    id: 'contacts',
    label: 'view.contacts',
    icon: 'contacts',
    route: 'contacts',
    load: () => import('./view.js'),
    texts: (language) => import(`./lang/${language}.js`),
    count: () => [...all.value.values()].filter((contact) => contact.state === 'asking' && !contact.is_blocked).length,
};
