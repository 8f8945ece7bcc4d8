// What people and rooms are called here.

import { plainName, t } from '../../lang/index.js';
import { soundsLike } from '../../parts/pinyin.js';
import { me } from '../../session.js';
import { contacts, people } from '../../store/model.js';

/** @typedef {import('../../types').Room} Room */

/** What a person is called: the own name for them, theirs, or nothing yet. @param {string | null | undefined} account */
export function personName(account) {
    if (!account) return '';
    return plainName(contacts.value.get(account)?.remark || people.value.get(account)?.nickname || people.value.get(account)?.username || '…');
}

/** @param {Room} room */
export function roomName(room) {
    if (room.kind === 'group') return plainName(room.name);
    if (room.kind === 'personal') return t('conversations.own');
    return personName(room.peer?.id);
}

/** What gives a room's picture its colour. @param {Room} room */
export const roomPicture = (room) => (room.kind === 'direct' ? (room.peer?.id ?? room.id) : room.id);

/** Who an entry is by. @param {import('../../types').Entry} entry */
export function authorName(entry) {
    if (entry.account === me.value?.id) return t('conversations.you');
    return entry.account ? personName(entry.account) : plainName(entry.name ?? t('conversations.server'));
}

/** Whether one of these names has a text in it, or is read so. @param {string[]} names @param {string} text */
export function namesFit(names, text) {
    const wanted = text.trim().toLocaleLowerCase();
    return !wanted || names.some((name) => name.toLocaleLowerCase().includes(wanted) || soundsLike(name, wanted));
}

/** Whether a room is called so, or whom one talks to there. @param {Room} room @param {string} text */
export const roomFits = (room, text) => namesFit([roomName(room), room.peer?.username ?? '', room.peer?.nickname ?? ''], text);
