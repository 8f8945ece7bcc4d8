// The conversations: the list of recent ones, and the one or two that are open.

import { html } from '../../html.js';
import { t } from '../../lang/index.js';
import { go, to } from '../../router.js';
import { bind, useKeys } from '../../shell/keys.js';
import { isNarrow } from '../../shell/shell.js';
import { rooms } from '../../store/index.js';
import { conversations } from './index.js';
import { orderedRooms } from './list.js';
import { NEW_LINE, SEND } from './send-keys.js';
import { Room } from './room.js';

export { List } from './list.js';

/** Goes to the room before or after the open one in the list. @param {1 | -1} by @param {boolean} isUnread */
function step(by, isUnread) {
    const all = orderedRooms();
    const open = location.pathname.split('/')[2];
    const at = all.findIndex((room) => room.id === open);
    const wanted = all.filter((room, index) => !isUnread || room.unread > 0 || index === at);
    const next = wanted[wanted.findIndex((room) => room.id === open) + by] ?? (isUnread ? wanted.find((room) => room.unread > 0) : undefined);
    if (next) go(to('c', next.id));
}

/**
 * What the open rooms can be told, in their order: see `Room`.
 * @type {{ search: () => void | false, toFirstUnread: () => void }[]}
 */
const controls = [];

/** The room that has the focus, or the first. */
function current() {
    const panes = [...document.querySelectorAll('.conversation')];
    return panes.length === 0 ? undefined : controls[Math.max(0, panes.findIndex((pane) => pane.contains(document.activeElement)))];
}

const keys = bind(/** @type {import('../../shell/keys.js').Group} */ (conversations.keys), {
    'conversations.key.search': () => /** @type {HTMLElement | null} */ (document.querySelector('.shell-list input[type=search]'))?.focus(),
    'conversations.key.here': () => current()?.search(),
    'conversations.key.first': () => current()?.toFirstUnread(),
    'conversations.key.before': () => step(-1, false),
    'conversations.key.after': () => step(1, false),
    'conversations.key.unread.before': () => step(-1, true),
    'conversations.key.unread.after': () => step(1, true),
    'conversations.key.attach': () => /** @type {HTMLElement | null} */ (document.querySelector('.composer .icon-button'))?.click(),
    'conversations.key.panel': () => /** @type {HTMLElement | null} */ (document.querySelector('.conversation .head [aria-pressed]'))?.click(),
}, [SEND, NEW_LINE, { keys: 'ArrowUp', text: 'conversations.key.edit' }, { keys: 'Escape', text: 'conversations.key.toend' }, { keys: 'Space', text: 'conversations.key.choose' }]);

/** @param {{ place: import('../../router.js').Place }} props */
export function Main({ place }) {
    useKeys(keys);
    const ids = place.path.slice(1, isNarrow.value ? 2 : 3);
    const open = ids.map((id) => rooms.value.get(id)).filter((room) => room !== undefined);
    const at = Number(place.query.get('at')) || undefined;
    if (open.length === 0) return html`<div class="empty">${t(ids.length > 0 ? 'conversations.gone' : 'shell.empty')}</div>`;
    return html`<div class="panes">${open.map((room, index) => html`
        <${Room} key=${room.id} room=${room} goTo=${index === 0 ? at : undefined} place=${place} control=${(/** @type {any} */ control) => { controls[index] = control; }} close=${open.length > 1 ? () => go(to('c', open[1 - index].id)) : undefined} />`)}</div>`;
}
