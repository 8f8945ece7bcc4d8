// What people and rooms are called here.

import { t } from '../../lang/index.js';
import { me } from '../../session.js';
import { contacts, people } from '../../store/model.js';

/** @typedef {import('../../types').Room} Room */

/** What a person is called: the own name for them, theirs, or nothing yet. @param {string | null | undefined} account */
export function personName(account) {
    if (!account) return '';
    return contacts.value.get(account)?.remark || people.value.get(account)?.nickname || people.value.get(account)?.username || '…';
}

/** @param {Room} room */
export function roomName(room) {
    if (room.kind === 'group') return room.name;
    if (room.kind === 'personal') return t('conversations.own');
    return personName(room.peer?.id);
}

/** What gives a room's picture its colour. @param {Room} room */
export const roomPicture = (room) => (room.kind === 'direct' ? (room.peer?.id ?? room.id) : room.id);

/** Who an entry is by. @param {import('../../types').Entry} entry */
export function authorName(entry) {
    if (entry.account === me.value?.id) return t('conversations.you');
    return entry.account ? personName(entry.account) : (entry.name ?? t('conversations.server'));
}
