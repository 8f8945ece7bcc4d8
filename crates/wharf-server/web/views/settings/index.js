// What the frame knows of the settings before they are loaded.

/** @type {import('../index.js').View} */
export const settings = {
    id: 'settings',
    label: 'view.settings',
    icon: 'settings',
    route: 'settings',
    load: () => import('./view.js'),
    texts: (language) => import(`./lang/${language}.js`),
};
