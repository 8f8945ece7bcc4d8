// What the frame knows of the drives before they are loaded.

/** @type {import('../index.js').View} */
export const drive = {
    id: 'drive',
    label: 'view.drive',
    icon: 'drive',
    route: 'drive',
    load: () => import('./view.js'),
    texts: (language) => import(`./lang/${language}.js`),
};
