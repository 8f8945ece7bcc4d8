// The journal: the log of the own room as a diary. In the middle the calendar and what can be chosen; beside it the entries, or the keys with
// which they are written from elsewhere.

import { html } from '../../html.js';
import { t } from '../../lang/index.js';
import { Spinner } from '../../parts/progress.js';
import { me } from '../../session.js';
import { bind, useKeys } from '../../shell/keys.js';
import { rooms } from '../../store/index.js';
import { NEW_LINE, SEND } from '../conversations/send-keys.js';
import { choiceOf } from './address.js';
import { Elsewhere } from './elsewhere.js';
import { Entries } from './entries.js';
import { journal } from './index.js';
import { Sidebar } from './sidebar.js';
import { takeOut } from './takeout.js';

/** The own room, once the list of rooms is there. */
const home = () => rooms.value.get(me.value?.home ?? '');

const keys = bind(/** @type {import('../../shell/keys.js').Group} */ (journal.keys), {
    'journal.key.print': () => {
        const room = home();
        if (!room) return false;
        void takeOut(room, choiceOf(new URLSearchParams(location.search)));
        return undefined;
    },
}, [
    { keys: 'Ctrl+K', text: 'conversations.key.search', run: () => /** @type {HTMLElement | null} */ (document.querySelector('.shell-list input[type=search]'))?.focus() },
    SEND, NEW_LINE, { keys: 'ArrowUp', text: 'journal.key.edit' },
]);

/** @param {{ place: import('../../router.js').Place }} props */
export function List({ place }) {
    const room = home();
    if (!room) return html`<div class="empty"><${Spinner} label=${t('shell.loading')} /></div>`;
    return html`<${Sidebar} room=${room} place=${place} />`;
}

/** @param {{ place: import('../../router.js').Place }} props */
export function Main({ place }) {
    useKeys(keys);
    const room = home();
    if (!room) return html`<div class="empty"><${Spinner} label=${t('shell.loading')} /></div>`;
    if (place.path[1] === 'elsewhere') return html`<${Elsewhere} room=${room} />`;
    return html`<${Entries} key=${room.id} room=${room} place=${place} />`;
}
