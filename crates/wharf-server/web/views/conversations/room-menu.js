// What can be done with a room: from its head, and from its row in the list.

import * as api from '../../api.js';
import { t } from '../../lang/index.js';
import { confirm } from '../../parts/dialog.js';
import { openMenu } from '../../parts/menu.js';
import { attempt } from '../../parts/notice.js';
import { go, place, to } from '../../router.js';
import { isNarrow } from '../../shell/shell.js';
import { editRoom, invite, notify } from './dialogs.js';
import { roomName } from './names.js';

/** @typedef {import('../../types').Room} Room */

/** @param {Room} room @param {import('../../types').EditPreferences} changes */
const prefer = (room, changes) => void attempt(() => api.patch(`/rooms/${room.id}/preferences`, changes));

/**
 * @param {Element | { x: number, y: number }} at @param {Room} room
 * @param {{ goToDay?: () => void, setPanel?: (tab: string) => void }} [open] what only the open room can do
 */
export function roomMenu(at, room, { goToDay, setPanel } = {}) {
    const { preferences } = room;
    const isGroup = room.kind === 'group';
    const isOwner = room.role === 'owner';
    const other = place.peek().path[1];
    openMenu(at, [
        setPanel && { label: t('conversations.search'), icon: 'search', run: () => setPanel('search') },
        setPanel && { label: t('conversations.files'), icon: 'file', run: () => setPanel('files') },
        goToDay && { label: t('conversations.jump'), icon: 'calendar', run: goToDay },
        !setPanel && !!other && other !== room.id && !isNarrow.value && { label: t('conversations.beside'), icon: 'columns', run: () => go(to('c', other, room.id)) },
        { label: t(preferences.is_pinned ? 'conversations.room.unpin' : 'conversations.room.pin'), icon: 'pin', run: () => prefer(room, { is_pinned: !preferences.is_pinned }) },
        { label: t('conversations.notify'), icon: preferences.notify === 'nothing' ? 'bellOff' : 'bell', run: () => void notify(room) },
        { label: t(preferences.is_marked ? 'conversations.unmark' : 'conversations.mark'), icon: 'chat', run: () => prefer(room, { is_marked: !preferences.is_marked }) },
        { label: t(preferences.is_hidden ? 'conversations.unhide' : 'conversations.hide'), icon: 'archive', run: () => prefer(room, { is_hidden: !preferences.is_hidden }) },
        isGroup && room.role !== 'reader' && { label: t('conversations.invite'), icon: 'plus', run: () => void invite(room) },
        isGroup && isOwner && { label: t('conversations.room.edit'), icon: 'settings', run: () => void editRoom(room) },
        isGroup && !isOwner && { label: t('conversations.leave'), icon: 'logout', isDanger: true, run: () => void leave(room) },
    ], { label: roomName(room) });
}

/** @param {Room} room */
async function leave(room) {
    if (!(await confirm({ title: t('conversations.leave.ask', { name: roomName(room) }), yes: t('conversations.leave'), isDanger: true }))) return;
    await attempt(async () => {
        await api.post(`/rooms/${room.id}/leave`);
        go('/c', { replace: true });
    });
}
