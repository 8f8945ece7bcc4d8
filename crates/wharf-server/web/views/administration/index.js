// What the frame knows of the administration before it is loaded. It is for operators.

/** @type {import('../index.js').View} */
export const administration = {
    id: 'administration',
    label: 'view.administration',
    icon: 'shield',
    route: 'administration',
    load: () => import('./view.js'),
    texts: (language) => import(`./lang/${language}.js`),
    isFor: (account) => account.role === 'operator',
};
