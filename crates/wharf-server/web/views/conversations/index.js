// What the frame knows of the conversations and the contacts before they are loaded.

import { computed } from '../../html.js';
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
    texts: (language) => import(`./lang/${language}.js`),
    count: () => unreadTotal.value,
};
