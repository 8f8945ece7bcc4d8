// The entries of rooms, as far as they are in memory: by position, from the local copy or from the server, in pages of 100.
//
// An entry in memory has the state that all entries up to the room's head made of it, in as far as they have been told to this tab. What is
// read from elsewhere may be older or newer than that; replaying entries is harmless (fold.js), so `merge` lets every later entry that it knows have
// its effect on what comes in.

import * as api from '../api.js';
import { signal } from '../html.js';
import * as fold from '../fold.js';
import { me } from '../session.js';
import { range, result, transact } from './db.js';
import { collections, connection, connections } from './model.js';
import { outbox } from './outbox.js';

/** @typedef {import('../types').Entry} Entry */

export const PAGE = 100;
/** Entries of a room that stay in memory when nobody looks at them. */
const KEPT_MAX = 2000;

/** @type {IDBDatabase | null} */
let db = null;
/** @type {Map<string, Timeline>} */
const timelines = new Map();

/** @param {IDBDatabase | null} database */
export function use(database) {
    db = database;
}

/** The timeline of a room; made when it is first asked for. @param {string} room */
export function timeline(room) {
    let found = timelines.get(room);
    if (!found) timelines.set(room, (found = new Timeline(room)));
    return found;
}

/** The timeline of a room, if somebody asked for it. @param {string} room */
export const existing = (room) => timelines.get(room);

/**
 * What a room shows of the outbox: what says something, and what was refused. After a reload the entry of something can be here before the server has
 * answered it again, and then that is what is shown.
 * @param {string} room
 */
export function waitingIn(room) {
    const items = outbox.value.filter((item) => item.room === room && (item.draft.kind === 'text' || item.draft.kind === 'file' || item.state === 'refused'));
    if (items.length === 0) return items;
    const account = me.peek()?.id;
    const said = new Set([...(existing(room)?.entries.values() ?? [])].filter((entry) => entry.account === account && fold.isSaid(entry)).map((entry) => entry.client_ms));
    return items.filter((item) => item.state !== 'waiting' || !said.has(item.client_ms));
}

export function clear() {
    timelines.clear();
}

export class Timeline {
    /** @param {string} room */
    constructor(room) {
        this.room = room;
        /** @type {Map<number, Entry>} */
        this.entries = new Map();
        /** Rises with every change. */
        this.changed = signal(0);
        /** The last position that cannot be had. */
        this.floor = signal(collections.rooms.map.get(room)?.floor ?? 0);
        /** Entries about others that came live, in order. @type {Entry[]} */
        this.effects = [];
        /** @type {Map<number, Promise<void>>} */
        this.loading = new Map();
        this.isTold = true;
    }

    tell() {
        if (!this.isTold) return;
        this.isTold = false;
        queueMicrotask(() => {
            this.isTold = true;
            this.changed.value += 1;
        });
    }

    /** An entry came live. Returns the entries that it changed. @param {Entry} entry */
    live(entry) {
        /** @type {Entry[]} */
        const changed = [];
        const target = fold.targetOf(entry.body);
        if (target !== undefined) {
            this.effects.push(entry);
            const affected = entry.body?.kind === 'recall'
                ? [...this.entries.values()].filter((held) => held.position === target || (held.body?.kind === 'edit' && held.body.target === target))
                : [this.entries.get(target)];
            for (const held of affected) if (held && this.change(held, entry)) changed.push(held);
        }
        if (!this.entries.has(entry.position)) this.entries.set(entry.position, entry);
        this.tell();
        return changed;
    }

    /** A changed entry is another object, so that who compares objects sees it. @param {Entry} held @param {Entry} later */
    change(held, later) {
        const copy = structuredClone(held);
        if (!fold.apply(copy, later)) return false;
        this.entries.set(copy.position, copy);
        return true;
    }

    /** Takes in entries whose states are as of `asOf`. @param {Entry[]} items @param {number} asOf */
    merge(items, asOf) {
        for (const entry of items) {
            for (const later of this.effects) if (later.position > asOf) fold.apply(entry, later);
            this.entries.set(entry.position, entry);
        }
        this.tell();
    }

    /** Has the entries from one position to another in memory, sooner or later. @param {number} from @param {number} to */
    need(from, to) {
        const head = collections.rooms.map.get(this.room)?.head ?? 0;
        const first = Math.max(1, this.floor.peek() + 1, from);
        const last = Math.min(head, to);
        for (let page = Math.floor((first - 1) / PAGE); page * PAGE < last; page += 1) {
            if (this.isWhole(page, head) || this.loading.has(page)) continue;
            const work = this.load(page).finally(() => this.loading.delete(page));
            this.loading.set(page, work);
            const asked = connections.peek();
            // Who asks again when the connection is back finds what was lost with it still under way.
            work.catch(() => connection.peek() === 'live' && connections.peek() !== asked && this.need(from, to));
        }
    }

    /** The same, and waits for it. @param {number} from @param {number} to */
    async fetch(from, to) {
        this.need(from, to);
        await Promise.allSettled(this.loading.values());
    }

    /** @param {number} page @param {number} head */
    isWhole(page, head) {
        const first = Math.max(page * PAGE + 1, this.floor.peek() + 1);
        const last = Math.min((page + 1) * PAGE, head);
        for (let position = first; position <= last; position += 1) if (!this.entries.has(position)) return false;
        return true;
    }

    /** @param {number} page */
    async load(page) {
        const from = page * PAGE + 1;
        const to = from + PAGE - 1;
        await this.read(from, to);
        for (;;) {
            const head = collections.rooms.map.get(this.room)?.head ?? 0;
            let next = Math.max(from, this.floor.peek() + 1);
            while (next <= Math.min(to, head) && this.entries.has(next)) next += 1;
            if (next > Math.min(to, head)) return;
            const answer = await api.get(`/rooms/${this.room}/log`, { after: next - 1, limit: to - next + 1 });
            if (answer.floor > this.floor.peek()) this.floor.value = answer.floor;
            if (answer.items.length === 0) return;
            this.merge(answer.items, answer.head);
            void keep(this.room, answer.items, answer.head);
        }
    }

    /** What the local copy has. @param {number} from @param {number} to */
    async read(from, to) {
        if (!db) return;
        try {
            const [run, rows] = await transact(db, ['runs', 'entries'], 'readonly', (tx) => Promise.all([
                result(tx.objectStore('runs').get(this.room)),
                result(tx.objectStore('entries').getAll(range(this.room, from, to))),
            ]));
            if (run) this.merge(rows.map((row) => row.entry).filter((entry) => !this.entries.has(entry.position)), run.applied);
        } catch (error) {
            console.warn('the local copy cannot be read', error);
        }
    }

    /** Lets go of what is far from `position`, when nobody looks. @param {number} position */
    trim(position) {
        if (this.entries.size <= KEPT_MAX) return;
        const far = [...this.entries.keys()].sort((a, b) => Math.abs(b - position) - Math.abs(a - position));
        for (const key of far.slice(0, this.entries.size - KEPT_MAX)) this.entries.delete(key);
    }

    /** The log is another one, or no longer ours. */
    reset() {
        this.entries.clear();
        this.effects = [];
        this.tell();
    }
}

/**
 * Writes entries that were fetched into the local copy. The copy may have gone on meanwhile: later entries that it has are applied to them first.
 * @param {string} room @param {Entry[]} items @param {number} asOf
 */
async function keep(room, items, asOf) {
    if (!db) return;
    try {
        await transact(db, ['runs', 'entries'], 'readwrite', async (tx) => {
            const entries = tx.objectStore('entries');
            const run = await result(tx.objectStore('runs').get(room));
            if (!run) tx.objectStore('runs').put({ room, applied: asOf });
            const later = run && run.applied > asOf ? await result(entries.getAll(range(room, asOf + 1, Infinity))) : [];
            for (const item of items) {
                const entry = structuredClone(item);
                for (const row of later) fold.apply(entry, row.entry);
                entries.put({ room, position: entry.position, entry });
            }
        });
    } catch (error) {
        console.warn('the local copy cannot be written', error);
    }
}
