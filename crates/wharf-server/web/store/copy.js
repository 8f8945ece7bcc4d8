// The local copy as a whole: read at the start, written behind the frames, and brought up to date where it has fallen behind.

import * as api from '../api.js';
import { GAP_MAX, WRITTEN, applyItem, forgetRoom, write as writeFrames, writeEntry } from './apply.js';
import { result, transact } from './db.js';
import { collections, meta, rooms } from './model.js';
import { noteRefusal } from './storage.js';
import { existing } from './timeline.js';

/** @typedef {import('../frames').ServerFrame} ServerFrame */

/** Entries that are asked for at once. */
const FETCH_MAX = 500;

/** @type {IDBDatabase | null} */
let db = null;
/** @type {ServerFrame[]} */
let unwritten = [];
/** @type {Promise<void>} */
let writing = Promise.resolve();
let isCatchingUp = false;
let isCatchUpAsked = false;

/** @param {IDBDatabase | null} database */
export function use(database) {
    db = database;
    unwritten = [];
}

/** Puts what the copy has into memory. */
export async function read() {
    if (!db) return;
    const [epoch, version, list] = await transact(db, ['meta', 'list'], 'readonly', (tx) => Promise.all([
        result(tx.objectStore('meta').get('epoch')),
        result(tx.objectStore('meta').get('version')),
        result(tx.objectStore('list').getAll()),
    ]));
    for (const item of list) applyItem(item);
    meta.epoch = epoch ?? '';
    meta.version = version ?? 0;
}

/** The same, for a tab that is about to lead: what it has in memory may be behind what the leader before it has written. */
export async function reload() {
    if (!db) return;
    await writing;
    const before = new Map([...collections.rooms.map].map(([id, room]) => [id, room.head]));
    await read();
    for (const [id, room] of collections.rooms.map) {
        if (room.head !== before.get(id)) existing(id)?.reset();
    }
}

/** What a hello says that this browser has. */
export function known() {
    const known = Object.fromEntries([...collections.rooms.map.values()].map((room) => [room.id, { position: room.head, hash: room.head_hash }]));
    return { epoch: meta.epoch, version: meta.version, rooms: known };
}

/** Done when all that was heard by then is in the copy. */
export async function settled() {
    for (let last; last !== writing;) {
        last = writing;
        await last;
    }
}

/** Frames of these kinds leave something in the copy. */
const KEPT = ['welcome', 'account', 'rooms', 'entry', 'lag', 'skip'];

/** Writes what a frame has made of the model, with all that come in the same turn, after those before. @param {ServerFrame} frame */
export function write(frame) {
    if (!db || !KEPT.includes(frame.type)) return;
    unwritten.push(frame);
    if (unwritten.length > 1) return;
    writing = writing.then(async () => {
        const frames = unwritten;
        unwritten = [];
        if (!db) return;
        try {
            await transact(db, WRITTEN, 'readwrite', (tx) => writeFrames(tx, frames));
        } catch (error) {
            noteRefusal(error);
        }
    });
}

/**
 * Says to other tabs which entries of a room were missed and are there now; null where what they have of the room holds no longer.
 * @typedef {(room: string, entries: import('../types').Entry[] | null) => void} Tell
 */

/** Fetches, for rooms whose entries are kept, those that were missed; a copy that is too far behind is given up. @param {Tell} tell */
export async function catchUp(tell) {
    isCatchUpAsked = true;
    if (isCatchingUp) return;
    isCatchingUp = true;
    try {
        while (isCatchUpAsked) {
            isCatchUpAsked = false;
            await catchUpOnce(tell);
        }
    } catch (error) {
        console.warn('catching up', error);
    } finally {
        isCatchingUp = false;
    }
}

/** @param {Tell} tell */
async function catchUpOnce(tell) {
    await settled();
    const database = db;
    if (!database) {
        for (const room of rooms.peek().values()) existing(room.id)?.tell();
        return;
    }
    const runs = await transact(database, ['runs'], 'readonly', (tx) => result(tx.objectStore('runs').getAll()));
    for (const run of runs) {
        const head = collections.rooms.map.get(run.room)?.head;
        if (head === undefined || head < run.applied || head - run.applied > GAP_MAX) {
            await transact(database, ['runs', 'entries'], 'readwrite', (tx) => forgetRoom(tx, run.room));
            existing(run.room)?.reset();
            tell(run.room, null);
        } else if (head > run.applied) {
            await closeGap(database, run.room, run.applied, tell);
        }
    }
}

/** @param {IDBDatabase} database @param {string} room @param {number} from @param {Tell} tell */
async function closeGap(database, room, from, tell) {
    let applied = from;
    for (;;) {
        const head = collections.rooms.map.get(room)?.head ?? 0;
        if (applied >= head) return;
        const page = await api.get(`/rooms/${room}/log`, { after: applied, limit: FETCH_MAX });
        const first = page.items[0]?.position;
        if (first !== applied + 1) {
            // What is between is kept no longer, or not for this account.
            await transact(database, ['runs', 'entries'], 'readwrite', (tx) => forgetRoom(tx, room));
            existing(room)?.reset();
            tell(room, null);
            return;
        }
        await transact(database, ['runs', 'entries'], 'readwrite', async (tx) => {
            for (const entry of page.items) await writeEntry(tx, room, entry);
        });
        for (const entry of page.items) existing(room)?.live(entry);
        tell(room, page.items);
        applied = page.items[page.items.length - 1].position;
    }
}
