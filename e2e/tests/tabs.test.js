// Several tabs of one browser: one connection between them, whichever has it, and what each shows is the same.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, listen, member, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { another, bubble, field, openRoom, pair, said, write } from '../lib/talk.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Server} */
let server;
before(async () => {
    [browser, server] = await Promise.all([launch(), Server.withOperator()]);
});
after(async () => {
    await browser?.close();
    await server?.stop();
});

/** Has the tabs of a browser remember their connections from the next document on. @param {Page} page */
const countSockets = (page) => page.context().addInitScript(() => {
    /** @type {WebSocket[]} */
    const all = [];
    Object.assign(window, { sockets: all });
    window.WebSocket = class extends WebSocket {
        /** @param {string | URL} address @param {string | string[]} [protocols] */
        constructor(address, protocols) {
            super(address, protocols);
            all.push(this);
        }
    };
});

/** How many connections a tab has. @param {Page} page @returns {Promise<number>} */
const socketsOf = (page) => page.evaluate(() => /** @type {any} */ (window).sockets.filter((/** @type {WebSocket} */ { readyState }) => readyState === WebSocket.OPEN).length);

/** Waits until the local copy has a room. @param {Page} page @param {import('../lib/server.js').Person} person @param {string} room */
const isCopied = (page, person, room) => until(() => page.evaluate(({ name, key }) => new Promise((resolve) => {
    const asked = indexedDB.open(name);
    asked.onerror = () => resolve(false);
    asked.onsuccess = () => {
        const found = asked.result.transaction('list').objectStore('list').count(key);
        found.onsuccess = () => {
            asked.result.close();
            resolve(found.result === 1);
        };
    };
}), { name: `wharf-${person.id}`, key: `room:${room}` }), 'the room is in the local copy');

/** Another tab of the same browser. @param {Page} page */
async function newTab(page) {
    const tab = await page.context().newPage();
    listen(tab);
    return tab;
}

/** Has a tab connect only when the test lets it. @param {Page} page */
async function holdSocket(page) {
    await page.addInitScript(() => {
        const Real = WebSocket;
        /** @type {(value?: unknown) => void} */
        let release = () => {};
        const released = new Promise((resolve) => { release = resolve; });
        Object.assign(window, { releaseSocket: release });
        // What is said before it is open is not said: the page waits for `onopen` itself.
        window.WebSocket = /** @type {any} */ (class extends EventTarget {
            static OPEN = 1;
            readyState = 0;
            /** @param {string} address @param {string} protocol */
            constructor(address, protocol) {
                super();
                void released.then(() => {
                    if (this.readyState === 3) return;
                    const real = new Real(address, protocol);
                    Object.assign(this, { send: (/** @type {string} */ text) => real.send(text), close: () => real.close() });
                    for (const name of /** @type {const} */ (['open', 'message', 'close'])) {
                        real.addEventListener(name, (event) => {
                            this.readyState = real.readyState;
                            /** @type {any} */ (this)[`on${name}`]?.(event);
                        });
                    }
                });
            }
            send() {}
            close() {
                this.readyState = 3;
            }
        });
    });
}

/** Has a tab stay between what it reads from the local copy and the rest of its start, until the test lets it go on. @param {Page} page */
async function holdStart(page) {
    await page.addInitScript(() => {
        const real = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function transaction(stores, mode, options) {
            const tx = real.call(this, stores, mode, options);
            if (!(/** @type {any} */ (window).isStartReleased) && [stores].flat().includes('uploads')) {
                Object.assign(window, { isStartHeld: true });
                const again = () => {
                    if (!(/** @type {any} */ (window).isStartReleased)) tx.objectStore('uploads').count().onsuccess = again;
                };
                again();
            }
            return tx;
        };
    });
}

test('two tabs have one connection, and the one that is left goes on', async () => {
    const { a, b, room } = await pair(server);
    const first = await member(browser, a);
    const second = await newTab(first);
    await countSockets(first);
    await Promise.all([first, second].map((page) => page.goto(`${server.url}/c/${room}`)));
    await write(second, 'from the second tab');
    await bubble(first, 'from the second tab').locator('.state').waitFor();
    await b.say(room, 'to both');
    await Promise.all([bubble(first, 'to both').waitFor(), bubble(second, 'to both').waitFor()]);
    const counts = await Promise.all([first, second].map(socketsOf));
    assert.deepEqual([...counts].sort(), [0, 1], 'one of them has a connection');
    const [leader, left] = counts[0] === 1 ? [first, second] : [second, first];
    await leader.close();
    await b.say(room, 'to the one that is left');
    await bubble(left, 'to the one that is left').waitFor();
    await until(async () => (await socketsOf(left)) === 1, 'it has a connection of its own');
    await write(left, 'and it sends');
    await until(async () => (await left.locator('.is-waiting').count()) === 0, 'it is sent');
    await soon(async () => assert.deepEqual(await said(left), ['from the second tab', 'to both', 'to the one that is left', 'and it sends']));
    quiet(left);
    await left.context().close();
});

test('a tab that opens before the first one has its connection sends over it', async () => {
    const { a, b, room } = await pair(server);
    const first = await member(browser, a);
    await isCopied(first, a, room);
    await countSockets(first);
    await holdSocket(first);
    await openRoom(first, room);
    await first.waitForFunction(() => navigator.locks.query().then(({ held }) => held?.some(({ name }) => name?.startsWith('wharf-live-'))));
    const second = await newTab(first);
    await second.goto(`${server.url}/c/${room}`);
    await write(second, 'before there is a connection');
    await bubble(second, 'before there is a connection').locator('.state').waitFor();
    await first.evaluate(() => /** @type {any} */ (window).releaseSocket());
    for (const page of [first, second]) {
        await until(async () => (await page.locator('.is-waiting').count()) === 0 && (await said(page)).length === 1, 'it is sent, and shown once');
    }
    await b.say(room, 'to both');
    await Promise.all([bubble(first, 'to both').waitFor(), bubble(second, 'to both').waitFor()]);
    await soon(async () => assert.equal(await socketsOf(second), 0, 'the second tab has no connection of its own'));
    await soon(async () => assert.deepEqual(await said(second), ['before there is a connection', 'to both']));
    quiet(first, second);
    await first.context().close();
});

test('a tab hears of what was told while it started', async () => {
    const { a, b, room } = await pair(server);
    const first = await member(browser, a);
    await openRoom(first, room);
    await write(first, 'before');
    await bubble(first, 'before').locator('.state').waitFor();
    const second = await newTab(first);
    await holdStart(second);
    await second.goto(`${server.url}/c/${room}`);
    await second.waitForFunction(() => /** @type {any} */ (window).isStartHeld === true);
    // All of this is told, and written, after the second tab has read the copy and before it listens.
    const other = await server.person(`cleo${another()}`, { nickname: 'Cleo' });
    const made = await server.befriend(a, other);
    await other.say(made, 'hello from another room');
    await b.say(room, 'meanwhile');
    const log = await b.ask('GET', `/rooms/${room}/log`);
    const [{ position }] = log.items.filter((/** @type {any} */ entry) => entry.body.text === 'before');
    await b.say(room, { kind: 'reaction', target: position, emoji: '🎉', is_set: true });
    await bubble(first, 'meanwhile').waitFor();
    await first.getByRole('button', { name: /🎉.*Ben/ }).waitFor();
    await first.getByRole('link', { name: /Cleo.*hello from another room/ }).waitFor();
    await second.evaluate(() => { /** @type {any} */ (window).isStartReleased = true; });
    await bubble(second, 'meanwhile').waitFor();
    await second.getByRole('button', { name: /🎉.*Ben/ }).waitFor();
    await second.getByRole('link', { name: /Cleo.*hello from another room/ }).waitFor();
    await soon(async () => assert.deepEqual(await said(second), ['before', 'meanwhile']));
    quiet(first, second);
    await first.context().close();
});

test('what was edited while there was no connection is edited in every tab', async () => {
    const { a, b, room } = await pair(server);
    const { position } = await b.say(room, 'with a fault');
    const first = await member(browser, a);
    await openRoom(first, room);
    await bubble(first, 'with a fault').waitFor();
    const second = await newTab(first);
    await second.goto(`${server.url}/c/${room}`);
    await bubble(second, 'with a fault').waitFor();
    await first.context().setOffline(true);
    await Promise.all([first, second].map((page) => page.locator('.banner', { hasText: 'Offline' }).waitFor()));
    await b.say(room, { kind: 'edit', target: position, text: 'without one' });
    await b.say(room, 'and more');
    await first.context().setOffline(false);
    await Promise.all([first, second].map((page) => bubble(page, 'and more').waitFor()));
    for (const page of [first, second]) await until(async () => (await said(page)).join() === 'without one,and more', 'the edit is shown');
    await first.context().close();
});

test('a frozen tab that had the connection gives way, and catches up when it thaws', async () => {
    const { a, b, room } = await pair(server);
    const first = await member(browser, a);
    await countSockets(first);
    await openRoom(first, room);
    await until(async () => (await socketsOf(first)) === 1, 'the first tab has the connection');
    const second = await newTab(first);
    await second.goto(`${server.url}/c/${room}`);
    await field(second).waitFor();
    await second.bringToFront();
    const devtools = await first.context().newCDPSession(first);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await b.say(room, 'while it was frozen');
    await bubble(second, 'while it was frozen').waitFor();
    await devtools.send('Page.setWebLifecycleState', { state: 'active' });
    await bubble(first, 'while it was frozen').waitFor();
    await b.say(room, 'afterwards');
    await Promise.all([bubble(first, 'afterwards').waitFor(), bubble(second, 'afterwards').waitFor()]);
    await soon(async () => assert.deepEqual(await said(first), ['while it was frozen', 'afterwards']));
    await first.context().close();
});

test('a tab whose local copy the browser closes for a while connects again', async () => {
    const { a, b, room } = await pair(server);
    const page = await member(browser, a);
    await countSockets(page);
    await page.addInitScript(() => {
        const real = IDBDatabase.prototype.transaction;
        Object.assign(window, { isClosed: false, refusals: 0 });
        IDBDatabase.prototype.transaction = function transaction(stores, mode, options) {
            const test = /** @type {any} */ (window);
            if (!test.isClosed) return real.call(this, stores, mode, options);
            // What a connection asks for before it dials.
            if (String(stores) === 'meta') test.refusals += 1;
            throw new DOMException('the database is closing', 'InvalidStateError');
        };
    });
    await openRoom(page, room);
    await b.say(room, 'before it closed');
    await bubble(page, 'before it closed').waitFor();
    await page.evaluate(() => {
        const test = /** @type {any} */ (window);
        test.isClosed = true;
        for (const socket of test.sockets) socket.close();
    });
    await page.waitForFunction(() => /** @type {any} */ (window).refusals > 0);
    await page.evaluate(() => { /** @type {any} */ (window).isClosed = false; });
    await b.say(room, 'once it was back');
    await bubble(page, 'once it was back').waitFor();
    quiet(page);
    await page.context().close();
});

test('a local copy that the browser has closed for good is opened again, and what is written is sent', async () => {
    const { a, b, room } = await pair(server);
    const page = await member(browser, a);
    await countSockets(page);
    await page.addInitScript(() => {
        const real = IDBDatabase.prototype.transaction;
        const databases = new Set();
        Object.assign(window, { databases });
        IDBDatabase.prototype.transaction = function transaction(stores, mode, options) {
            databases.add(this);
            return real.call(this, stores, mode, options);
        };
    });
    await openRoom(page, room);
    await b.say(room, 'before it closed');
    await bubble(page, 'before it closed').waitFor();
    const close = () => page.evaluate(() => {
        const test = /** @type {any} */ (window);
        for (const database of test.databases) database.close();
        for (const socket of test.sockets) socket.close();
    });
    for (const time of ['once', 'twice']) {
        await close();
        await write(page, `written when it was closed ${time}`);
        await bubble(page, `written when it was closed ${time}`).locator('.state').waitFor();
        await until(async () => (await page.locator('.is-waiting').count()) === 0, 'it is sent');
    }
    await page.reload();
    await soon(async () => assert.deepEqual(await said(page), ['before it closed', 'written when it was closed once', 'written when it was closed twice']));
    quiet(page);
    await page.context().close();
});

test('who logs out in one tab is logged out in the others, without a connection to say so', async () => {
    const { a, room } = await pair(server);
    const first = await member(browser, a);
    await isCopied(first, a, room);
    const second = await newTab(first);
    await Promise.all([first, second].map(holdSocket));
    await Promise.all([first, second].map((page) => page.goto(`${server.url}/c/${room}`)));
    await Promise.all([first, second].map((page) => field(page).waitFor()));
    await first.getByRole('button', { name: /^Account/ }).click();
    await first.getByRole('menuitem', { name: 'Log out' }).click();
    await first.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    await Promise.all([first, second].map((page) => page.getByRole('button', { name: 'Log in' }).waitFor()));
    quiet(first, second);
    await first.context().close();
});

test('what is typed in one tab is not lost by what is typed in another, and comes back after no log-out', async () => {
    const { a, room } = await pair(server);
    const first = await member(browser, a);
    // What is on the server would be shown instead of what this browser has lost.
    await first.context().route('**/preferences', (route) => route.abort());
    await openRoom(first, room);
    await field(first).waitFor();
    const second = await newTab(first);
    await second.goto(`${server.url}/c/${a.account.home}`);
    await field(second).waitFor();
    await field(first).fill('typed in the first');
    await field(second).fill('typed in the second');
    await second.goto(`${server.url}/c/${room}`);
    await soon(async () => assert.equal(await field(second).inputValue(), 'typed in the first'));
    await second.goto(`${server.url}/c/${a.account.home}`);
    await soon(async () => assert.equal(await field(second).inputValue(), 'typed in the second'));
    await first.getByRole('button', { name: /^Account/ }).click();
    await first.getByRole('menuitem', { name: 'Log out' }).click();
    await first.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    await Promise.all([first, second].map((page) => page.getByRole('button', { name: 'Log in' }).waitFor()));
    assert.deepEqual(await second.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('wharf-drafts'))), []);
    quiet(first, second);
    await first.context().close();
});
