// The one store: what the page knows of the account, and what it does about it. Views import from here and from model.js, and change
// nothing themselves.

import * as live from '../live/index.js';
import { setStatus } from '../live/status.js';
import { sessionEnded } from '../session.js';
import * as uploads from '../transfer/queue.js';
import * as copy from './copy.js';
import * as db from './db.js';
import { beginDrafts, endDrafts } from './drafts.js';
import * as model from './model.js';
import * as outbox from './outbox.js';
import * as storage from './storage.js';
import * as timelines from './timeline.js';

export { connection, connections, contacts, cursors, drives, groups, invitations, isKept, people, presence, rooms, typing, welcome } from './model.js';
export { outbox, outboxCount, send } from './outbox.js';
export { timeline, waitingIn } from './timeline.js';
export { say, watch } from '../live/index.js';

/** @type {IDBDatabase | null} */
let database = null;
/** @type {string} */
let account = '';

/** Does something with the notices, which the first load does without. @param {(push: typeof import('../push.js')) => Promise<void>} work */
async function notices(work) {
    try {
        await work(await import('../push.js'));
    } catch (error) {
        console.warn('notices', error);
    }
}

/** Begins for an account: opens the local copy, shows what is in it, and connects. @param {import('../types').Account} me */
export async function begin(me) {
    account = me.id;
    beginDrafts(me.id);
    model.know({ id: me.id, number: me.number, username: me.username, nickname: me.nickname, status_text: me.status_text ?? '' });
    try {
        database = await db.open(me.id);
        await readFrom(database);
        model.isKept.value = true;
    } catch (error) {
        // It cannot be opened, or can be and not be read: the page does without.
        console.warn('no local copy', error);
        if (database) db.close(database);
        database = null;
        await readFrom(null);
        model.isKept.value = false;
    }
    // Nothing that is shown first waits for what is on its way up.
    void uploads.use(database).catch((error) => console.warn('uploads', error));
    void storage.look();
    live.start(me.id, database !== null, sessionEnded);
    void notices((push) => push.begin(me.id));
}

/** Has a local copy used, or none, and puts what is in it into memory. @param {IDBDatabase | null} opened */
async function readFrom(opened) {
    copy.use(opened);
    timelines.use(opened);
    outbox.use(opened, live.send);
    await copy.read();
    await outbox.refresh();
}

/** Ends. What was kept is forgotten if the person logged out; after a session that ended by itself it stays for the next login. @param {boolean} isLoggedOut */
export async function end(isLoggedOut) {
    live.stop(isLoggedOut);
    endDrafts(account, isLoggedOut);
    void notices((push) => push.end(isLoggedOut));
    copy.use(null);
    timelines.use(null);
    timelines.clear();
    outbox.use(null, () => {});
    outbox.clear();
    await uploads.use(null);
    if (database) db.close(database);
    database = null;
    model.clear();
    if (isLoggedOut) {
        setStatus('online');
        await db.forget(account);
    }
}
