// Who is in the rooms that were opened: asked when a room opens and when its log says that somebody came or went.

import * as api from '../../api.js';
import { signal } from '../../html.js';
import { applyCursor } from '../../store/apply.js';
import { know } from '../../store/model.js';

/** @typedef {import('../../types').RoomMember} RoomMember */

/** @type {import('../../vendor/signals.js').Signal<ReadonlyMap<string, RoomMember[]>>} */
const byRoom = signal(new Map());

/** The people of a room; nothing before the answer has come. Former members have no role. @param {string} room */
export const membersOf = (room) => byRoom.value.get(room) ?? [];

/** What was asked last about each room: of two answers, the one that comes last may be the older one. @type {Map<string, object>} */
const asked = new Map();

/** Asks who is in a room, and how far they have read. @param {string} room */
export async function loadMembers(room) {
    const mine = {};
    asked.set(room, mine);
    const [members, cursors] = await Promise.all([api.get(`/rooms/${room}/members`), api.get(`/rooms/${room}/cursors`)]);
    for (const member of members.items) know(member.person);
    for (const cursor of cursors.items) applyCursor({ room, ...cursor });
    if (asked.get(room) === mine) byRoom.value = new Map(byRoom.value).set(room, members.items);
}
