// What the server's frames make of the model, and what of that is written into the local copy. Every tab applies every frame to its own memory; the
// tab that has the connection also writes.

import * as fold from '../fold.js';
import { me } from '../session.js';
import { result } from './db.js';
import { collections, know, meta, welcome } from './model.js';
import * as outbox from './outbox.js';
import { existing, timeline } from './timeline.js';

/** @typedef {import('../frames').ServerFrame} ServerFrame */
/** @typedef {import('../types').Entry} Entry */
/** @typedef {import('../types').Room} Room */

/** How long somebody types without saying so again. */
const TYPING_MS = 6000;
/** The longest gap that is closed by reading it; past it the copy of the room is begun anew. */
export const GAP_MAX = 2000;

/** Set while the first list of a server with another epoch is told: everything that is not in it goes. */
let isAnew = false;

/** Applies a frame to memory. @param {ServerFrame} frame */
export function apply(frame) {
    switch (frame.type) {
        case 'welcome':
            isAnew = meta.epoch !== '' && meta.epoch !== frame.epoch;
            if (isAnew) meta.version = 0;
            meta.isToldWhole = meta.version === 0;
            meta.epoch = frame.epoch;
            meta.isGreeting = true;
            welcome.value = frame;
            break;
        case 'account':
            // Together with what takes its place: views of rooms that stay would be drawn anew in between.
            if (meta.isToldWhole) beginAnew();
            for (const item of frame.items) applyItem(item.item === 'room' && !meta.isGreeting ? withOwnLog(item) : item);
            meta.version = frame.version;
            break;
        case 'rooms':
            for (const room of frame.items) setRoom(room);
            for (const room of frame.diverged ?? []) existing(room)?.reset();
            break;
        case 'ready':
            isAnew = false;
            meta.isGreeting = false;
            meta.isToldWhole = false;
            break;
        case 'entry':
            applyEntry(frame.room, frame.entry);
            break;
        case 'lag':
            applyHead(frame.room, frame.head, frame.hash);
            break;
        case 'skip':
            applyHead(frame.room, frame.to);
            break;
        case 'cursor':
            applyCursor(frame);
            break;
        case 'presence':
            for (const item of frame.items) collections.presence.set(item.account, item);
            break;
        case 'typing':
            applyTyping(frame.room, frame.account ?? '', frame.stopped ?? false);
            break;
        case 'drive':
            collections.drives.set(frame.room, frame.head);
            break;
        default:
            break;
    }
}

/**
 * Takes over what another tab has, in place of what was here. What was read of a room that stands elsewhere there is read again: entries between
 * may have changed it.
 * @param {import('./model.js').Snapshot} state
 */
export function adopt(state) {
    const heads = new Map([...collections.rooms.map].map(([id, room]) => [id, room.head]));
    for (const [name, map] of state.collections) {
        const collection = /** @type {import('./model.js').Collection<string, any>} */ (collections[name]);
        collection.clear();
        for (const [key, value] of map) collection.set(key, value);
    }
    Object.assign(meta, state.meta);
    welcome.value = state.welcome;
    for (const [id, head] of heads) {
        const room = collections.rooms.map.get(id);
        const held = existing(id);
        if (room?.head !== head) held?.reset();
        if (room && held && room.floor > held.floor.peek()) held.floor.value = room.floor;
    }
}

/** Positions from another epoch mean nothing, and a list that is told whole takes the place of what was there. */
function beginAnew() {
    meta.isToldWhole = false;
    for (const room of collections.rooms.map.keys()) existing(room)?.reset();
    for (const name of /** @type {const} */ (['rooms', 'contacts', 'groups', 'invitations'])) collections[name].clear();
}

/** @param {import('../types').AccountItem} item */
export function applyItem(item) {
    switch (item.item) {
        case 'contact':
            collections.contacts.set(item.person.id, item);
            know(item.person);
            break;
        case 'contact_gone':
            collections.contacts.delete(item.account);
            break;
        case 'group':
            collections.groups.set(item.id, item);
            break;
        case 'group_gone':
            collections.groups.delete(item.group);
            break;
        case 'room':
            setRoom(item);
            break;
        case 'room_gone':
            collections.rooms.delete(item.room);
            existing(item.room)?.reset();
            break;
        case 'invitation':
            collections.invitations.set(item.room, item);
            know(item.by);
            break;
        case 'invitation_gone':
            collections.invitations.delete(item.room);
            break;
        case 'read':
            applyRead(item);
            break;
        default:
            break;
    }
}

/** @param {Room} room */
export function setRoom(room) {
    collections.rooms.set(room.id, room);
    collections.drives.set(room.id, Math.max(room.drive_head, collections.drives.map.get(room.id) ?? 0));
    know(room.peer);
    const held = existing(room.id);
    if (held && room.floor > held.floor.peek()) held.floor.value = room.floor;
    outbox.arrived(room.id, room.head);
}

/**
 * A room that is told while entries are: it was read at a head of its own. Entries past that head may have been applied already, and those up to it
 * may come yet, so what entries make of a room stays as they have made it.
 * @template {Room} T @param {T} room @returns {T}
 */
function withOwnLog(room) {
    const held = collections.rooms.map.get(room.id);
    // Who left and came back has missed what was said meanwhile.
    if (!held || held.head === room.head || held.joined_ms !== room.joined_ms) return room;
    const { head, head_hash, last, read, unread, mentions, member_count } = held;
    return { ...room, head, head_hash, last, read, unread, mentions, member_count };
}

/** @param {{ room: string, position: number, unread: number, mentions: number, head: number }} read */
function applyRead({ room: id, position, unread, mentions, head }) {
    const room = collections.rooms.map.get(id);
    if (!room || position < room.read) return;
    const account = me.peek()?.id ?? '';
    const entries = existing(id)?.entries;
    let more = 0;
    let moreMentions = 0;
    for (let next = head + 1; next <= room.head; next += 1) {
        const entry = entries?.get(next);
        if (!entry || !fold.isSaid(entry) || entry.account === account || next <= position) continue;
        more += 1;
        if (fold.mentions(entry, account)) moreMentions += 1;
    }
    collections.rooms.set(id, { ...room, read: position, unread: unread + more, mentions: mentions + moreMentions });
}

/** @param {string} id @param {Entry} entry */
function applyEntry(id, entry) {
    const held = collections.rooms.map.get(id);
    if (!held || entry.position <= held.head) return;
    if (entry.position !== held.head + 1) {
        applyHead(id, entry.position, entry.hash);
        return;
    }
    const account = me.peek()?.id ?? '';
    const room = { ...held };
    fold.applyToRoom(room, account, entry);
    if (fold.isSaid(entry)) {
        room.last = structuredClone(entry);
        if (entry.account === account) {
            room.read = entry.position;
            room.unread = 0;
            room.mentions = 0;
        } else if (entry.position > room.read) {
            room.unread += 1;
            if (fold.mentions(entry, account)) room.mentions += 1;
        }
        if (entry.account) applyTyping(id, entry.account, true);
    } else if (room.last && fold.targetOf(entry.body) === room.last.position) {
        room.last = structuredClone(room.last);
        fold.apply(room.last, entry);
    }
    collections.rooms.set(id, room);
    timeline(id).live(entry);
    if (entry.account && fold.isSaid(entry)) applyCursor({ room: id, account: entry.account, read: entry.position });
    outbox.arrived(id, entry.position);
}

/** The log is at `head`, and what was said up to there is not known here. @param {string} id @param {number} head @param {string} [hash] */
function applyHead(id, head, hash) {
    const room = collections.rooms.map.get(id);
    if (!room || head <= room.head) return;
    collections.rooms.set(id, { ...room, head, head_hash: hash ?? room.head_hash });
}

/** @param {{ room: string, account: string, read?: number, delivered?: number }} cursor */
export function applyCursor({ room, account, read, delivered }) {
    if (account === me.peek()?.id) return;
    const held = collections.cursors.map.get(room) ?? new Map();
    const before = held.get(account) ?? { read: 0, delivered: 0 };
    const after = { read: Math.max(before.read, read ?? 0), delivered: Math.max(before.delivered, delivered ?? 0, read ?? 0) };
    if (after.read === before.read && after.delivered === before.delivered) return;
    collections.cursors.set(room, new Map(held).set(account, after));
}

/** @param {string} room @param {string} account @param {boolean} hasStopped */
function applyTyping(room, account, hasStopped) {
    const now = Date.now();
    const held = new Map([...(collections.typing.map.get(room) ?? [])].filter(([, until]) => until > now));
    if (hasStopped) {
        if (!held.delete(account)) return;
    } else {
        held.set(account, now + TYPING_MS);
        setTimeout(() => applyTyping(room, '', true), TYPING_MS + 100);
    }
    collections.typing.set(room, held);
}

const KEYS = /** @type {Record<string, (item: any) => string>} */ ({
    contact: (item) => `contact:${item.person.id}`,
    contact_gone: (item) => `contact:${item.account}`,
    group: (item) => `group:${item.id}`,
    group_gone: (item) => `group:${item.group}`,
    room: (item) => `room:${item.id}`,
    room_gone: (item) => `room:${item.room}`,
    invitation: (item) => `invitation:${item.room}`,
    invitation_gone: (item) => `invitation:${item.room}`,
});

/** The stores that `write` writes. */
export const WRITTEN = ['meta', 'list', 'runs', 'entries'];

/**
 * Writes what frames made of the model, which has applied them, into the local copy: all of them in one transaction.
 * @param {IDBTransaction} tx @param {ServerFrame[]} frames
 */
export async function write(tx, frames) {
    const list = tx.objectStore('list');
    /** @type {Set<string>} */
    const touched = new Set();
    for (const frame of frames) {
        switch (frame.type) {
            case 'welcome':
                if (meta.version === 0) {
                    list.clear();
                    tx.objectStore('runs').clear();
                    tx.objectStore('entries').clear();
                }
                break;
            case 'account':
                for (const item of frame.items) {
                    const key = KEYS[item.item]?.(item);
                    if (item.item === 'read') touched.add(item.room);
                    else if (item.item === 'room') touched.add(item.id);
                    else if (item.item.endsWith('_gone')) list.delete(key);
                    else list.put(item, key);
                    if (item.item === 'room_gone') forgetRoom(tx, item.room);
                }
                break;
            case 'rooms':
                for (const room of frame.items) touched.add(room.id);
                for (const room of frame.diverged ?? []) forgetRoom(tx, room);
                break;
            case 'entry':
                touched.add(frame.room);
                await writeEntry(tx, frame.room, frame.entry);
                break;
            case 'lag':
            case 'skip':
                touched.add(frame.room);
                break;
            default:
                break;
        }
    }
    for (const id of touched) {
        const room = collections.rooms.map.get(id);
        if (room) list.put({ ...room, item: 'room' }, `room:${id}`);
    }
    tx.objectStore('meta').put(meta.epoch, 'epoch');
    tx.objectStore('meta').put(meta.version, 'version');
}

/** @param {IDBTransaction} tx @param {string} room */
export function forgetRoom(tx, room) {
    tx.objectStore('runs').delete(room);
    tx.objectStore('entries').delete(IDBKeyRange.bound([room, 0], [room, Infinity]));
}

/**
 * Writes an entry, what it makes of those before it, and the position that the copy of the room has with it. One that is not the next is left out:
 * it is fetched with what is missing before it.
 * @param {IDBTransaction} tx @param {string} room @param {Entry} entry
 */
export async function writeEntry(tx, room, entry) {
    const entries = tx.objectStore('entries');
    const runs = tx.objectStore('runs');
    const run = await result(runs.get(room));
    const applied = run?.applied ?? entry.position - 1;
    if (entry.position !== applied + 1) return;
    entries.put({ room, position: entry.position, entry });
    const target = fold.targetOf(entry.body);
    if (target !== undefined) {
        const affected = entry.body?.kind === 'recall'
            ? (await result(entries.getAll(IDBKeyRange.bound([room, target], [room, entry.position]))))
            : [await result(entries.get([room, target]))];
        for (const row of affected) if (row && fold.apply(row.entry, entry)) entries.put(row);
    }
    runs.put({ room, applied: entry.position });
}
