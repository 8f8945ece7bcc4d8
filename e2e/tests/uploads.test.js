// Files on their way into drives: stopped, gone on with, taken over, given up; many at once; and where there is no room for them.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, member as memberOf, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { countSent } from '../lib/sent.js';

/** @typedef {import('playwright-core').Page} Page */

const MIB = 1024 * 1024;
const PATIENCE_MS = 120_000;

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

/** Somebody who is logged in, and waits for tens of MiB where a debug build on a busy machine takes its time. @param {import('../lib/server.js').Person} person */
async function member(person) {
    const page = await memberOf(browser, person);
    page.context().setDefaultTimeout(PATIENCE_MS);
    return page;
}

/** @param {Page} page @param {string} name */
const row = (page, name) => page.getByRole('row', { name: new RegExp(`^${name.replace(/[.()]/g, '\\$&')},`) });
/** @param {Page} page */
const panel = (page) => page.getByRole('region', { name: 'Uploads' });
/** Where files are chosen. @param {Page} page */
const chooser = (page) => page.locator('.drive-tools input[type=file][multiple]');
/** @param {number} bytes @param {string} name */
const bytesNamed = (bytes, name) => ({ name, mimeType: 'application/octet-stream', buffer: randomBytes(bytes) });

/** A file of the disk. @param {string} name @param {number} bytes */
async function onDisk(name, bytes) {
    const file = path.join(server.folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, randomBytes(bytes));
    return file;
}

/** Lets only so many batches of chunks through, until it is opened. @param {Page} page @param {number} passing */
async function gate(page, passing) {
    const state = { isOpen: false, passed: 0 };
    await page.route('**/api/v1/chunks', async (route) => {
        if (!state.isOpen && state.passed >= passing) return;
        state.passed += 1;
        await route.continue();
        // One that broke is sent again, and is not one of them.
        if (!(await route.request().response().catch(() => null))?.ok()) state.passed -= 1;
    });
    return state;
}

test('a reload during an upload: it goes on by itself, and nothing that had arrived is sent again', async () => {
    const ada = await server.person('ada');
    const page = await member(ada);
    const sent = await countSent(page);
    await page.goto(`${server.url}/drive`);
    const going = await gate(page, 1);
    const hashing = page.waitForEvent('worker');
    await chooser(page).setInputFiles(await onDisk('film.bin', 40 * MIB));
    const worker = await hashing;
    assert.ok(await worker.evaluate(async (address) => (await import(address)).wide(), worker.url().replace('worker.js', 'blake3-wide.js')), 'four lanes, by the policy of the worker');
    await panel(page).getByText(/^(8|16)(\.0)? MiB \/ 40 MiB/).waitFor();
    await noFindings(page);
    await picture(page, 'uploads', { widths: [1280, 360] });
    const before = await sent();
    going.isOpen = true;
    await page.reload();
    await panel(page).getByText('1 file is there').waitFor();
    await row(page, 'film.bin').waitFor();
    assert.ok(before >= 8 * MIB);
    await soon(async () => assert.equal(await sent(), 40 * MIB));
    assert.equal((await ada.ask('GET', '/rooms/home/node?path=film.bin')).bytes, 40 * MIB);
    await page.reload();
    await row(page, 'film.bin').waitFor();
    await soon(async () => assert.equal(await panel(page).count(), 0));
    quiet(page);
    await page.context().close();
});

test('a file that the browser could not keep is chosen again, and only what lacks is sent', async () => {
    const ben = await server.person('ben');
    const page = await member(ben);
    const sent = await countSent(page);
    await page.goto(`${server.url}/drive`);
    const going = await gate(page, 2);
    const file = await onDisk('large.bin', 70 * MIB);
    await chooser(page).setInputFiles(file);
    await panel(page).getByText(/^32 MiB \/ 70 MiB/).waitFor();
    await page.reload();
    // Not before: a batch that passes while the page goes would arrive without its answer being counted.
    going.isOpen = true;
    await panel(page).getByText('1 file needs you').waitFor();
    await noFindings(page);
    await panel(page).locator('input[data-again=files]').setInputFiles([bytesNamed(70, 'large.bin')]);
    await page.getByText('Those are other files.').waitFor();
    await page.locator('.notes').getByRole('button', { name: 'Close' }).click();
    const before = await sent();
    await panel(page).locator('input[data-again=files]').setInputFiles(file);
    await panel(page).getByText('1 file is there').waitFor();
    await soon(async () => assert.deepEqual([before, await sent()], [32 * MIB, 70 * MIB]));
    quiet(page);
    await page.context().close();
});

test('a file that becomes another one on its way is chosen again', async () => {
    const dora = await server.person('dora');
    const page = await member(dora);
    await page.goto(`${server.url}/drive`);
    const going = await gate(page, 1);
    const file = await onDisk('diary.bin', 40 * MIB);
    await chooser(page).setInputFiles(file);
    await panel(page).getByText(/^(8|16)(\.0)? MiB \/ 40 MiB/).waitFor();
    await writeFile(file, randomBytes(40 * MIB));
    going.isOpen = true;
    await panel(page).getByRole('button', { name: 'Pause: diary.bin' }).click();
    await panel(page).getByRole('button', { name: 'Go on: diary.bin' }).click();
    await panel(page).getByText('1 file needs you').waitFor();
    await panel(page).locator('input[data-again=files]').setInputFiles(file);
    await panel(page).getByText('1 file is there').waitFor();
    const answer = await page.request.get(`${server.url}/api/v1/rooms/home/content?path=diary.bin`);
    assert.ok((await readFile(file)).equals(await answer.body()), 'as it was chosen last');
    quiet(page);
    await page.context().close();
});

test('uploads are paused, go on, and are given up', async () => {
    const cleo = await server.person('cleo');
    const page = await member(cleo);
    await page.goto(`${server.url}/drive`);
    const going = await gate(page, 0);
    await chooser(page).setInputFiles([await onDisk('one.bin', 2 * MIB), await onDisk('two.bin', 2 * MIB)]);
    await panel(page).getByText('2 files on their way').waitFor();
    await panel(page).getByRole('button', { name: 'Pause all uploads' }).click();
    await until(async () => (await panel(page).getByText('Paused').count()) === 2, 'both are paused');
    await noFindings(page);
    await page.reload();
    await until(async () => (await panel(page).getByText('Paused').count()) === 2, 'they are paused still');
    going.isOpen = true;
    await panel(page).getByRole('button', { name: 'Cancel: two.bin' }).click();
    await panel(page).getByRole('button', { name: 'Go on: one.bin' }).click();
    await row(page, 'one.bin').waitFor();
    await panel(page).getByText('1 file is there').waitFor();
    await panel(page).getByRole('button', { name: 'Close' }).click();
    await panel(page).waitFor({ state: 'detached' });
    await page.reload();
    await row(page, 'one.bin').waitFor();
    await soon(async () => assert.equal(await row(page, 'two.bin').count(), 0));
    await soon(async () => assert.equal(await panel(page).count(), 0));
    quiet(page);
    await page.context().close();
});

test('a folder of many small files goes up in a few requests', async () => {
    const dan = await server.person('dan');
    const page = await member(dan);
    await page.goto(`${server.url}/drive`);
    const count = 300;
    for (let index = 0; index < count; index += 1) await onDisk(`letters/${index % 7}/letter ${index}.txt`, 100 + index);
    await onDisk('letters/empty.txt', 0);
    let commits = 0;
    page.on('request', (request) => { if (request.url().endsWith('/commit')) commits += 1; });
    await page.locator('.drive-tools input[type=file][webkitdirectory]').setInputFiles(path.join(server.folder, 'letters'));
    await panel(page).getByText(`${count + 1} files are there`).waitFor();
    await row(page, 'letters').waitFor();
    const tree = await dan.ask('GET', '/rooms/home/tree?limit=1000');
    assert.equal(tree.items.filter((/** @type {any} */ item) => item.kind === 'file').length, count + 1);
    assert.ok(commits <= 4, `${commits} commits`);

    // The same folder again: what is there with the same content is there. One that differs asks.
    await panel(page).getByRole('button', { name: 'Close' }).click();
    await onDisk('letters/0/letter 0.txt', 50);
    await page.locator('.drive-tools input[type=file][webkitdirectory]').setInputFiles(path.join(server.folder, 'letters'));
    await panel(page).getByText('1 file needs you').waitFor();
    await panel(page).getByRole('button', { name: 'Replace' }).click();
    await panel(page).getByText(`${count + 1} files are there`).waitFor();
    assert.equal((await dan.ask('GET', `/rooms/home/node?path=${encodeURIComponent('letters/0/letter 0.txt')}`)).bytes, 50);
    quiet(page);
    await page.context().close();
});

test('what a tab that was closed had begun, another one ends', async () => {
    const emma = await server.person('emma');
    const first = await member(emma);
    await first.goto(`${server.url}/drive`);
    const second = await first.context().newPage();
    await second.goto(`${server.url}/drive`);
    await second.getByText('Nothing is here yet').waitFor();
    await gate(first, 0);
    await chooser(first).setInputFiles(await onDisk('short.bin', 3 * MIB));
    await panel(first).getByText('1 file on its way').waitFor();
    // It is kept before it goes.
    await until(() => first.evaluate(() => new Promise((resolve) => {
        void indexedDB.databases().then(([{ name }]) => {
            const asked = indexedDB.open(/** @type {string} */ (name));
            asked.onsuccess = () => {
                const counted = asked.result.transaction('uploads').objectStore('uploads').count();
                counted.onsuccess = () => {
                    asked.result.close();
                    resolve(counted.result === 2);
                };
            };
        });
    })), 'the upload and its bytes are kept');
    await soon(async () => assert.equal(await panel(second).count(), 0));
    await first.close();
    await row(second, 'short.bin').waitFor();
    await second.context().close();
});

test('a session that ended during an upload: after the next log-in it goes on', async () => {
    const hana = await server.person('hana');
    const page = await member(hana);
    await page.goto(`${server.url}/drive`);
    const going = await gate(page, 0);
    await chooser(page).setInputFiles(await onDisk('cut.bin', 2 * MIB));
    await panel(page).getByText('1 file on its way').waitFor();
    await page.locator('.drive-upload').getByText(/ \/ 2 MiB$/).waitFor();
    for (const session of await hana.ask('GET', '/sessions')) if (!session.current) await hana.ask('DELETE', `/sessions/${session.id}`);
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    going.isOpen = true;
    await page.getByLabel('Username, number or e-mail').fill(hana.username);
    await page.getByLabel('Password', { exact: true }).fill(hana.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await row(page, 'cut.bin').waitFor();
    quiet(page);
    await page.context().close();
});

test('how much room there is, is said before anything is sent', async () => {
    const finn = await server.person('finn');
    await /** @type {import('../lib/server.js').Person} */ (server.operator).ask('PATCH', `/admin/accounts/${finn.id}`, { quota_bytes: 10_240 });
    const page = await member(finn);
    const sent = await countSent(page);
    await page.goto(`${server.url}/drive`);
    await page.getByText('0 items · 10 KiB free').waitFor();
    await chooser(page).setInputFiles([bytesNamed(20_480, 'large.bin')]);
    const dialog = page.getByRole('dialog', { name: 'There is not enough room' });
    await dialog.getByText('20 KiB are to go up, and 10 KiB are free.').waitFor();
    await noFindings(page);
    await page.keyboard.press('Escape');
    await chooser(page).setInputFiles([bytesNamed(20_480, 'large.bin'), bytesNamed(5120, 'small.bin')]);
    await dialog.getByRole('button', { name: 'Upload 1 that fits' }).click();
    await row(page, 'small.bin').waitFor();
    await page.getByText('1 item · 5 KiB free').waitFor();
    await soon(async () => assert.equal(await sent(), 5120));

    // The room is gone meanwhile: the server refuses, in words, and it is tried again when there is some.
    const operator = /** @type {import('../lib/server.js').Person} */ (server.operator);
    const going = await gate(page, 0);
    await chooser(page).setInputFiles([bytesNamed(3000, 'third.bin')]);
    await panel(page).getByText('2.9 KiB').first().waitFor();
    await operator.ask('PATCH', `/admin/accounts/${finn.id}`, { quota_bytes: 6000 });
    going.isOpen = true;
    await panel(page).getByRole('button', { name: 'Pause: third.bin' }).click();
    await panel(page).getByRole('button', { name: 'Go on: third.bin' }).click();
    await panel(page).getByText('Your quota is used up.').waitFor();
    await noFindings(page);
    await operator.ask('PATCH', `/admin/accounts/${finn.id}`, { quota_bytes: 20_480 });
    await panel(page).getByRole('button', { name: 'Try again: third.bin' }).click();
    await row(page, 'third.bin').waitFor();
    quiet(page);
    await page.context().close();
});

test('what is pasted goes into the folder', async () => {
    const gwen = await server.person('gwen');
    await gwen.put('home', 'Notes/one.txt', 'one');
    const page = await member(gwen);
    await page.goto(`${server.url}/drive/${gwen.account.home}/files/Notes`);
    await row(page, 'one.txt').waitFor();
    await page.evaluate(() => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File(['pasted'], 'pasted.txt'));
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    });
    await row(page, 'pasted.txt').waitFor();
    assert.equal((await gwen.ask('GET', '/rooms/home/node?path=Notes/pasted.txt')).bytes, 6);
    quiet(page);
    await page.context().close();
});
