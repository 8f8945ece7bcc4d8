// What the frame knows of the conversations and the contacts before they are loaded.

import { computed, effect } from '../../html.js';
import { rooms } from '../../store/model.js';

/** Messages that nobody has read here, in rooms that are not muted. */
export const unreadTotal = computed(() => {
    let total = 0;
    for (const room of rooms.value.values()) {
        if (room.kind === 'personal' || room.preferences.is_hidden) continue;
        const counts = { all: room.unread || (room.preferences.is_marked ? 1 : 0), mentions: room.mentions, nothing: 0 };
        total += counts[room.preferences.notify ?? 'all'];
    }
    return total;
});

/** @type {import('../index.js').View} */
export const conversations = {
    id: 'conversations',
    label: 'view.conversations',
    icon: 'chat',
    route: 'c',
    load: () => import('./view.js'),
    // The list also adds contacts.
    texts: async (language) => {
        const [own, contacts] = await Promise.all([import(`./lang/${language}.js`), import(`../contacts/lang/${language}.js`)]);
        return { default: { ...contacts.default, ...own.default } };
    },
    count: () => unreadTotal.value,
    keys: {
        title: 'view.conversations',
        keys: [
            { keys: 'Ctrl+K', text: 'conversations.key.search' },
            { keys: 'Ctrl+F', text: 'conversations.key.here' },
            { keys: 'Alt+ArrowUp', text: 'conversations.key.before' },
            { keys: 'Alt+ArrowDown', text: 'conversations.key.after' },
            { keys: 'Alt+Shift+ArrowUp', text: 'conversations.key.unread.before' },
            { keys: 'Alt+Shift+ArrowDown', text: 'conversations.key.unread.after' },
            { keys: 'Shift+PageUp', text: 'conversations.key.first' },
            { keys: 'Ctrl+Shift+U', text: 'conversations.key.attach' },
            { keys: 'Ctrl+.', text: 'conversations.key.panel' },
        ],
    },
};

// What is unread stands in the title, where one sees it from another tab.
effect(() => {
    const total = unreadTotal.value;
    document.title = total > 0 ? `(${total > 99 ? '99+' : total}) Wharf` : 'Wharf';
});
