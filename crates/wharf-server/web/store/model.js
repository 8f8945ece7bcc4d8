// What the page knows, as signals: the one store that views read. Only store/apply.js and its neighbours write here.
//
// The collections are signals of maps. A map in a signal is never changed in place as far as a reader can tell: after a change
// the signal has another map, once for all changes of one turn.

import { effect, signal } from '../html.js';

/** @typedef {import('../types').Room} Room */
/** @typedef {import('../types').Contact} Contact */
/** @typedef {import('../types').ContactGroup} ContactGroup */
/** @typedef {import('../types').RoomInvitation} RoomInvitation */
/** @typedef {import('../frames').Presence} Presence */
/** @typedef {import('../types').Person} Person */

/**
 * @template K, V
 * @typedef {{ readonly value: ReadonlyMap<K, V>, peek: () => ReadonlyMap<K, V> }} MapSignal
 */

/**
 * A map whose changes are told together, once a turn.
 * @template K, V
 */
export class Collection {
    constructor() {
        /** @type {Map<K, V>} */
        this.map = new Map();
        /** @type {import('../vendor/signals.js').Signal<ReadonlyMap<K, V>>} */
        this.signal = signal(this.map);
        this.isTold = true;
    }

    /** @param {K} key @param {V} value */
    set(key, value) {
        this.map.set(key, value);
        this.tell();
    }

    /** @param {K} key */
    delete(key) {
        if (this.map.delete(key)) this.tell();
    }

    clear() {
        this.map.clear();
        this.tell();
    }

    tell() {
        if (!this.isTold) return;
        this.isTold = false;
        queueMicrotask(() => {
            this.isTold = true;
            this.signal.value = new Map(this.map);
        });
    }
}

export const collections = {
    /** @type {Collection<string, Room>} */
    rooms: new Collection(),
    /** @type {Collection<string, Contact>} */
    contacts: new Collection(),
    /** @type {Collection<string, ContactGroup>} */
    groups: new Collection(),
    /** @type {Collection<string, RoomInvitation>} */
    invitations: new Collection(),
    /** @type {Collection<string, Presence>} */
    presence: new Collection(),
    /** Everybody who was heard of. @type {Collection<string, Person>} */
    people: new Collection(),
    /** Who types in a room: accounts, and until when they do. @type {Collection<string, Map<string, number>>} */
    typing: new Collection(),
    /** How far others have read in a room, by account. @type {Collection<string, Map<string, { read: number, delivered: number }>>} */
    cursors: new Collection(),
    /** The last position of the drives that were told of. @type {Collection<string, number>} */
    drives: new Collection(),
};

/** The account's rooms, by id. @type {MapSignal<string, Room>} */
export const rooms = collections.rooms.signal;
/** Contacts, requests and who is blocked, by account. @type {MapSignal<string, Contact>} */
export const contacts = collections.contacts.signal;
/** The own groups of contacts, by id. @type {MapSignal<string, ContactGroup>} */
export const groups = collections.groups.signal;
/** Invitations into rooms that wait for an answer, by room. @type {MapSignal<string, RoomInvitation>} */
export const invitations = collections.invitations.signal;
/** Whether people are there, by account, for those who are watched (see `watch`). @type {MapSignal<string, Presence>} */
export const presence = collections.presence.signal;
/** People by account. @type {MapSignal<string, Person>} */
export const people = collections.people.signal;
/** Who types, by room. @type {MapSignal<string, Map<string, number>>} */
export const typing = collections.typing.signal;
/** How far others have read, by room. @type {MapSignal<string, Map<string, { read: number, delivered: number }>>} */
export const cursors = collections.cursors.signal;
/** Where drives stand, by room: a change means that somebody changed something there. @type {MapSignal<string, number>} */
export const drives = collections.drives.signal;

/** 'live', 'connecting' or 'offline'. */
export const connection = signal(/** @type {'connecting' | 'live' | 'offline'} */ ('connecting'));
/** How often there came to be a connection. What the stream does not tell again is to be asked for anew with each. */
export const connections = signal(0);
effect(() => {
    if (connection.value === 'live') connections.value = connections.peek() + 1;
});
/** What the server said of the connection last. @type {import('../vendor/signals.js').Signal<import('../frames').Welcome | null>} */
export const welcome = signal(null);
/** Whether this browser keeps a copy. */
export const isKept = signal(true);

/** What holds a copy of the server's list, as opposed to what passes by; whether a connection is at its start, between `welcome` and `ready`; and whether the whole list is told next. */
export const meta = { epoch: '', version: 0, isGreeting: false, isToldWhole: false };

/** What a tab tells another to have it know the same. */
export function snapshot() {
    const all = Object.entries(collections).map(([name, { map }]) => /** @type {[keyof typeof collections, Map<string, any>]} */ ([name, map]));
    return { collections: all, meta: { ...meta }, welcome: welcome.peek() };
}

/** @typedef {ReturnType<typeof snapshot>} Snapshot */

/** Notes what somebody is called. @param {Person | null | undefined} person */
export function know(person) {
    if (person) collections.people.set(person.id, person);
}

/** Forgets everything, at a log-out. */
export function clear() {
    for (const collection of Object.values(collections)) collection.clear();
    meta.epoch = '';
    meta.version = 0;
    meta.isGreeting = false;
    meta.isToldWhole = false;
    welcome.value = null;
    connection.value = 'connecting';
}
