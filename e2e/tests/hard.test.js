// Hard times: a session that is ended from elsewhere, and a slow link.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, member, quiet, soon, until } from '../lib/browser.js';
import { PASSWORD, Server } from '../lib/server.js';
import { bubble, field, hasLog, openRoom, pair, said, write } from '../lib/talk.js';

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

/** Ends the sessions of a person's browsers. @param {import('../lib/server.js').Person} person */
async function endOthers(person) {
    for (const session of (await person.ask('GET', '/sessions')).items ?? (await person.ask('GET', '/sessions'))) {
        if (!session.current) await person.ask('DELETE', `/sessions/${session.id}`);
    }
}

test('a session that is ended elsewhere asks for the password, and what waited is sent after it', async () => {
    const { a, b, room } = await pair(server);
    const ada = await member(browser, a);
    await openRoom(ada, room);
    const second = await ada.context().newPage();
    await second.goto(`${server.url}/c/${room}`);
    await Promise.all([field(ada).waitFor(), field(second).waitFor()]);
    await endOthers(a);
    // Both tabs, at once, without anybody touching them.
    await Promise.all([ada, second].map((page) => page.getByRole('button', { name: 'Log in' }).waitFor()));
    await soon(async () => assert.equal(await ada.getByLabel('Write a message').count(), 0));
    await ada.getByLabel('Username, number or e-mail').fill(a.username);
    await ada.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await ada.getByRole('button', { name: 'Log in' }).click();
    await field(ada).waitFor();
    await second.close();

    await ada.context().setOffline(true);
    await ada.locator('.banner', { hasText: 'Offline' }).waitFor();
    await write(ada, 'written before');
    await ada.getByText('Offline. 1 message waits.').waitFor();
    await endOthers(a);
    await ada.context().setOffline(false);
    await ada.getByRole('button', { name: 'Log in' }).waitFor();
    await ada.getByLabel('Username, number or e-mail').fill(a.username);
    await ada.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await ada.getByRole('button', { name: 'Log in' }).click();
    await bubble(ada, 'written before').waitFor();
    await until(async () => (await b.ask('GET', `/rooms/${room}/log`)).items.some((/** @type {any} */ entry) => entry.body?.text === 'written before'), 'it is sent');
    await until(async () => (await ada.locator('.is-waiting').count()) === 0, 'and shown so');
    await hasLog(b, room, ['written before']);
    await soon(async () => assert.deepEqual(await said(ada), ['written before']));
    quiet(ada);
    await ada.context().close();
});

/** How many items the outbox has on the disk. @param {import('playwright-core').Page} page @param {string} account */
const countWaiting = (page, account) => page.evaluate((name) => new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
        const counting = opening.result.transaction('outbox').objectStore('outbox').count();
        counting.onsuccess = () => {
            opening.result.close();
            resolve(counting.result);
        };
    };
}), `wharf-${account}`);

test('what the server has but did not answer is shown once after a reload, and is answered then', async () => {
    const { a, b, room } = await pair(server);
    const ada = await member(browser, a);
    let isHeld = true;
    await ada.routeWebSocket(/\/api\/v1\/live/, (socket) => {
        const origin = socket.connectToServer();
        origin.onMessage((message) => {
            if (!isHeld || JSON.parse(String(message)).type !== 'ack') socket.send(message);
        });
    });
    await openRoom(ada, room);
    await write(ada, 'unanswered');
    await soon(async () => assert.equal((await b.ask('GET', `/rooms/${room}/log`)).items.at(-1).body.text, 'unanswered'));
    await ada.reload();
    await ada.locator('article[data-position]', { hasText: 'unanswered' }).waitFor();
    await write(ada, 'and more');
    await ada.locator('article[data-position]', { hasText: 'and more' }).waitFor();
    assert.deepEqual(await said(ada), ['unanswered', 'and more']);
    // What waits for its answer keeps nothing from being sent again.
    isHeld = false;
    await ada.reload();
    await bubble(ada, 'and more').waitFor();
    await until(async () => (await countWaiting(ada, a.id)) === 0, 'nothing waits');
    await hasLog(b, room, ['unanswered', 'and more']);
    quiet(ada);
    await ada.context().close();
});

test('over a slow link what is kept is there first, and what is typed is shown before it is sent, once and in order', async () => {
    const { a, b, room } = await pair(server);
    for (let number = 1; number <= 20; number += 1) await b.say(room, `before ${number}`);
    const ada = await member(browser, a);
    await openRoom(ada, room);
    await bubble(ada, 'before 20').waitFor();
    await until(() => ada.evaluate(() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)), 'the page is kept');
    const devtools = await ada.context().newCDPSession(ada);
    await devtools.send('Network.enable');
    await devtools.send('Network.emulateNetworkConditions', { offline: false, latency: 1500, downloadThroughput: 20_000, uploadThroughput: 10_000 });
    // The answers of the API are held: what is seen until then is what the browser has.
    /** @type {(value?: unknown) => void} */
    let release = () => {};
    const released = new Promise((resolve) => { release = resolve; });
    await ada.route('**/api/v1/rooms/**', async (route) => {
        await released;
        await route.continue();
    });
    await ada.reload();
    await bubble(ada, 'before 20').waitFor();
    release();
    const texts = Array.from({ length: 5 }, (_, index) => `typed ${index + 1}`);
    for (const text of texts) {
        await write(ada, text);
        await bubble(ada, text).waitFor();
    }
    await until(async () => (await ada.locator('.is-waiting').count()) === 0, 'all are sent');
    await hasLog(b, room, [...Array.from({ length: 20 }, (_, index) => `before ${index + 1}`), ...texts]);
    await soon(async () => assert.deepEqual((await said(ada)).slice(-5), texts));
    await b.say(room, 'and an answer');
    await bubble(ada, 'and an answer').waitFor();
    quiet(ada);
    await ada.context().close();
});

test('what somebody had typed when their session ended is theirs alone', async () => {
    const { a, b, room } = await pair(server);
    const page = await member(browser, a);
    const enter = async (/** @type {import('../lib/server.js').Person} */ person) => {
        await page.getByLabel('Username, number or e-mail').fill(person.username);
        await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
        await page.getByRole('button', { name: 'Log in' }).click();
        await field(page).waitFor();
    };
    await openRoom(page, room);
    await field(page).fill('for nobody else to see');
    await endOthers(a);
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await page.evaluate((id) => localStorage.setItem('wharf-drafts', JSON.stringify({ [id]: 'of whom is not known' })), room);
    await enter(b);
    await soon(async () => assert.equal(await field(page).inputValue(), ''));
    await field(page).fill('words of another');
    await endOthers(b);
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await enter(a);
    await soon(async () => assert.equal(await field(page).inputValue(), 'for nobody else to see'));
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    const kept = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('wharf-drafts')));
    await soon(async () => assert.deepEqual(await kept(), [`wharf-drafts-${b.id}`]));
    quiet(page);
    await page.context().close();
});
