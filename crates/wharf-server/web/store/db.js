// The copy that this browser keeps of one account, in IndexedDB. All tabs share it.
//
// | store    | key              | holds                                                                    |
// | meta     | name             | 'epoch', 'version' of the account's list, 'device' { id, number }          |
// | list     | 'room:ID' …      | items of the account's list                                              |
// | runs     | room             | { room, applied }: entries of the room are here as of that position       |
// | entries  | [room, position] | { room, position, entry }                                                |
// | outbox   | id               | what is to be sent                                                       |
// | uploads  | id               | files on their way up; under `ID/bytes`, the bytes of those that are kept |
//
// An entry and the position that it moves are written in one transaction, so a crash leaves both or neither. What is here can always be
// had from the server again, but for the outbox and the uploads.

const VERSION = 1;

/** @param {string} account */
const nameOf = (account) => `wharf-${account}`;

/** Those that the page has closed itself: they are not opened again. @type {WeakSet<IDBDatabase>} */
const closed = new WeakSet();
/** What was opened in place of those that the browser has closed. @type {WeakMap<IDBDatabase, Promise<IDBDatabase>>} */
const opened = new WeakMap();

/** @param {string} account @returns {Promise<IDBDatabase>} */
export const open = (account) => openNamed(nameOf(account), true);

/** @param {string} name @param {boolean} mayMake @returns {Promise<IDBDatabase>} */
function openNamed(name, mayMake) {
    return new Promise((resolve, reject) => {
        const asked = indexedDB.open(name, VERSION);
        asked.onupgradeneeded = () => {
            if (!mayMake) {
                asked.transaction?.abort();
                return;
            }
            const db = asked.result;
            db.createObjectStore('meta');
            db.createObjectStore('list');
            db.createObjectStore('runs', { keyPath: 'room' });
            db.createObjectStore('entries', { keyPath: ['room', 'position'] });
            db.createObjectStore('outbox', { keyPath: 'id', autoIncrement: true });
            db.createObjectStore('uploads', { keyPath: 'id' });
        };
        asked.onsuccess = () => {
            const db = asked.result;
            // A tab with a newer page, or one that logs out, wants it: give it up.
            db.onversionchange = () => close(db);
            resolve(db);
        };
        asked.onerror = () => reject(asked.error);
        asked.onblocked = () => reject(new Error('the local copy is in use by another version of the page'));
    });
}

/** Closes it for good, and what was opened in its place. @param {IDBDatabase} db */
export function close(db) {
    closed.add(db);
    db.close();
    opened.get(db)?.then(close, () => {});
}

/** The database, opened again if the browser has closed it. One that somebody has deleted meanwhile is not made anew. @param {IDBDatabase} db @returns {Promise<IDBDatabase>} */
function openAgain(db) {
    const again = openNamed(db.name, false);
    opened.set(db, again);
    again.then(
        (other) => closed.has(db) && close(other),
        () => opened.delete(db),
    );
    return again;
}

/** Forgets everything about an account. @param {string} account @returns {Promise<void>} */
export function forget(account) {
    return new Promise((resolve) => {
        const asked = indexedDB.deleteDatabase(nameOf(account));
        asked.onsuccess = asked.onerror = asked.onblocked = () => resolve();
    });
}

/** The result of one request. @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
export function result(request) {
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}

/**
 * Runs `work` in a transaction; done when it is on disk. `work` must wait for nothing but its own requests. Some browsers close a database under a
 * tab in the background: then it is opened again, once.
 * @template T
 * @param {IDBDatabase} db @param {string[]} stores @param {IDBTransactionMode} mode @param {(tx: IDBTransaction) => Promise<T> | T} work
 * @returns {Promise<T>}
 */
export function transact(db, stores, mode, work) {
    const other = opened.get(db);
    if (other) return other.then((again) => transact(again, stores, mode, work));
    let tx;
    try {
        tx = begin(db, stores, mode);
    } catch (error) {
        if (/** @type {any} */ (error)?.name !== 'InvalidStateError' || closed.has(db)) return Promise.reject(error);
        return openAgain(db).then((again) => run(begin(again, stores, mode), work));
    }
    return run(tx, work);
}

/** @param {IDBDatabase} db @param {string[]} stores @param {IDBTransactionMode} mode */
const begin = (db, stores, mode) => db.transaction(stores, mode, { durability: mode === 'readwrite' && stores.includes('outbox') ? 'strict' : 'default' });

/** @template T @param {IDBTransaction} tx @param {(tx: IDBTransaction) => Promise<T> | T} work @returns {Promise<T>} */
function run(tx, work) {
    return new Promise((resolve, reject) => {
        /** @type {T} */
        let value;
        tx.oncomplete = () => resolve(value);
        tx.onerror = () => reject(tx.error);
        tx.onabort = () => reject(tx.error ?? new Error('aborted'));
        Promise.resolve(work(tx)).then(
            (done) => {
                value = done;
            },
            (error) => {
                reject(error);
                try {
                    tx.abort();
                } catch {
                    // It has ended already.
                }
            },
        );
    });
}

/** All entries of a room from one position to another. @param {string} room @param {number} from @param {number} to */
export const range = (room, from, to) => IDBKeyRange.bound([room, from], [room, to]);
