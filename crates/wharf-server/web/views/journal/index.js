// What the frame knows of the journal before it is loaded.

/** @type {import('../index.js').View} */
export const journal = {
    id: 'journal',
    label: 'view.journal',
    icon: 'journal',
    route: 'journal',
    load: () => import('./view.js'),
    // Entries are written and shown with parts of the conversations.
    texts: async (language) => {
        const [own, conversations] = await Promise.all([import(`./lang/${language}.js`), import(`../conversations/lang/${language}.js`)]);
        return { default: { ...conversations.default, ...own.default } };
    },
    keys: {
        title: 'view.journal',
        keys: [{ keys: 'Ctrl+P', text: 'journal.key.print' }],
    },
};
