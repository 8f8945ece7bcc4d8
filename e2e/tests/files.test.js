// Files in conversations: chosen, shown, handed over, seen by the other; stopped and gone on with.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';

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

const IMAGE = new URL('../../crates/wharf-server/web/icons/wharf-512.png', import.meta.url);

test('an image and a file with a caption arrive, are shown, listed and saved', async () => {
    const [a, b] = await Promise.all([server.person('ada', { nickname: 'Ada' }), server.person('ben', { nickname: 'Ben' })]);
    const room = await server.befriend(a, b);
    const [ada, ben] = await Promise.all([member(browser, a), member(browser, b)]);
    await Promise.all([ada.goto(`${server.url}/c/${room}`), ben.goto(`${server.url}/c/${room}`)]);
    const notes = randomBytes(3_000_000);
    await ada.locator('.composer input[type=file]').setInputFiles([
        { name: 'harbour.png', mimeType: 'image/png', buffer: await readFile(IMAGE) },
        { name: 'notes.bin', mimeType: 'application/octet-stream', buffer: notes },
    ]);
    await ada.getByRole('dialog', { name: 'Send 2 files' }).waitFor();
    await noFindings(ada);
    await picture(ada, 'offer', { widths: [1280, 360] });
    await ada.getByLabel(/A word with it/).fill('Look at this');
    await ada.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();

    const image = ben.getByRole('button', { name: 'View harbour.png' });
    await image.waitFor();
    await ben.getByText('Look at this').first().waitFor();
    await until(() => image.locator('img').evaluate((/** @type {HTMLImageElement} */ element) => element.naturalWidth === 512), 'the image is loaded');
    const box = await image.boundingBox();
    assert.ok(box && Math.abs(box.width - box.height) <= 1, 'its box has its own proportions');
    const link = ben.getByRole('link', { name: 'Download notes.bin' }).first();
    await link.waitFor();
    const [download] = await Promise.all([ben.waitForEvent('download'), link.click()]);
    assert.deepEqual(await readFile(await download.path()), notes);
    await noFindings(ben);
    await picture(ben, 'files');

    await image.click();
    await ben.getByRole('dialog', { name: 'harbour.png' }).waitFor();
    await ben.keyboard.press('Escape');
    await ben.getByRole('button', { name: 'About the room' }).click();
    await ben.getByRole('tab', { name: 'Files' }).click();
    await ben.getByText('2 files,').waitFor();
    await noFindings(ben);
    await ben.getByRole('button', { name: /^Save to my files notes.bin/ }).first().click();
    await ben.getByText('notes.bin is in your files.').waitFor();
    quiet(ada, ben);
    await Promise.all([ada.context().close(), ben.context().close()]);
});

test('an upload that a reload cut goes on by itself, and sends nothing again that had arrived', async () => {
    const [a, b] = await Promise.all([server.person('cem', { nickname: 'Cem' }), server.person('dana', { nickname: 'Dana' })]);
    const room = await server.befriend(a, b);
    const page = await member(browser, a);
    await page.goto(`${server.url}/c/${room}`);
    const file = path.join(server.folder, 'film.bin');
    await writeFile(file, randomBytes(40 * 1024 * 1024));
    // It goes in three batches. The first may pass; the others wait until the page is gone.
    let passed = 0;
    let isOpen = false;
    await page.route('**/api/v1/chunks', async (route) => {
        if (!isOpen && passed > 0) return;
        passed += 1;
        await route.continue();
    });
    await page.locator('.composer input[type=file]').setInputFiles(file);
    await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText(/^(8|16)(\.0)? MiB \/ 40 MiB/).waitFor();
    isOpen = true;
    await page.reload();
    await page.getByRole('link', { name: 'Download film.bin' }).waitFor();
    assert.equal(passed, 3);
    const log = await b.ask('GET', `/rooms/${room}/log`);
    assert.equal(log.items.filter((/** @type {any} */ entry) => entry.body.kind === 'file').length, 1);
    quiet(page);
    await page.context().close();
});

test('an upload is paused, goes on, and is given up', async () => {
    const [a, b] = await Promise.all([server.person('eva', { nickname: 'Eva' }), server.person('finn', { nickname: 'Finn' })]);
    const room = await server.befriend(a, b);
    const page = await member(browser, a);
    await page.goto(`${server.url}/c/${room}`);
    await page.route('**/api/v1/chunks', () => {});
    await page.locator('.composer input[type=file]').setInputFiles([{ name: 'one.bin', mimeType: 'application/octet-stream', buffer: randomBytes(1000) }]);
    await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').waitFor();
    await noFindings(page);
    await page.unroute('**/api/v1/chunks');
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('link', { name: 'Download one.bin' }).waitFor();
    await page.route('**/api/v1/chunks', () => {});
    await page.locator('.composer input[type=file]').setInputFiles([{ name: 'two.bin', mimeType: 'application/octet-stream', buffer: randomBytes(1000) }]);
    await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel two.bin' }).click();
    await page.getByText('two.bin').waitFor({ state: 'detached' });
    quiet(page);
    await page.context().close();
});

test('a file that is given up while it is committed is not said, and neither is the next', async () => {
    const [a, b] = await Promise.all([server.person('gina', { nickname: 'Gina' }), server.person('hugo', { nickname: 'Hugo' })]);
    const room = await server.befriend(a, b);
    const page = await member(browser, a);
    await page.goto(`${server.url}/c/${room}`);
    /** @type {(value?: unknown) => void} */
    let release = () => {};
    const released = new Promise((resolve) => { release = resolve; });
    await page.route('**/commit', async (route) => {
        await released;
        await route.continue();
    });
    const hand = async (/** @type {string[]} */ ...names) => {
        await page.locator('.composer input[type=file]').setInputFiles(names.map((name) => ({ name, mimeType: 'application/octet-stream', buffer: randomBytes(1000) })));
        await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
    };
    const committing = page.waitForRequest('**/commit');
    await hand('first.bin', 'second.bin');
    await committing;
    for (const name of ['first.bin', 'second.bin']) {
        await page.getByRole('button', { name: `Cancel ${name}` }).click();
        await page.getByText(name).waitFor({ state: 'detached' });
    }
    release();
    await hand('third.bin');
    await page.getByRole('link', { name: 'Download third.bin' }).waitFor();
    const said = (await b.ask('GET', `/rooms/${room}/log`)).items.filter((/** @type {any} */ entry) => entry.body?.kind === 'file');
    assert.deepEqual(said.map((/** @type {any} */ entry) => entry.body.name), ['third.bin']);
    quiet(page);
    await page.context().close();
});

test('a large image is shown by a thumbnail, in a box that is there before it', async () => {
    const [a, b] = await Promise.all([server.person('gwen', { nickname: 'Gwen' }), server.person('hana', { nickname: 'Hana' })]);
    const room = await server.befriend(a, b);
    const ben = await member(browser, b);
    // Noise, so that the file is large.
    const png = Buffer.from(await ben.evaluate(() => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [900, 600];
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
        const pixels = context.createImageData(900, 600);
        for (let at = 0; at < pixels.data.length; at += 1) pixels.data[at] = at % 4 === 3 ? 255 : Math.floor(Math.random() * 256);
        context.putImageData(pixels, 0, 0);
        return canvas.toDataURL('image/png').split(',')[1];
    }), 'base64');
    const node = await a.put(room, 'noise.png', png);
    /** @type {string[]} */
    const asked = [];
    let letThrough = () => {};
    const held = new Promise((resolve) => { letThrough = () => resolve(undefined); });
    await ben.route(/\/(thumbnail|content)\?/, async (route) => {
        asked.push(new URL(route.request().url()).pathname.split('/').pop() ?? '');
        await held;
        await route.continue();
    });
    await a.say(room, { kind: 'file', node: node.id, revision: node.revision, text: '', dimensions: [900, 600] });
    await ben.goto(`${server.url}/c/${room}`);
    const image = ben.getByRole('button', { name: 'View noise.png' });
    await image.waitFor();
    const before = await image.boundingBox();
    await until(() => asked.length > 0, 'the thumbnail is asked for');
    letThrough();
    await until(() => image.locator('img').evaluate((/** @type {HTMLImageElement} */ element) => element.complete && element.naturalWidth >= 420), 'the image is loaded');
    await soon(async () => assert.deepEqual(await image.boundingBox(), before));
    assert.deepEqual([...new Set(asked)], ['thumbnail']);
    quiet(ben);
    await ben.context().close();
});

test('a full quota is told before a file is sent, and by the server where it is full meanwhile', async () => {
    const [a, b] = await Promise.all([server.person('ida', { nickname: 'Ida' }), server.person('jan', { nickname: 'Jan' })]);
    const room = await server.befriend(a, b);
    const operator = /** @type {import('../lib/server.js').Person} */ (server.operator);
    const setQuota = (/** @type {number} */ quota_bytes) => Promise.all([a, b].map((person) => operator.ask('PATCH', `/admin/accounts/${person.id}`, { quota_bytes })));
    await setQuota(10_240);
    const page = await member(browser, a);
    await page.goto(`${server.url}/c/${room}`);
    const choose = (/** @type {number} */ bytes) => page.locator('.composer input[type=file]').setInputFiles([{ name: 'large.bin', mimeType: 'application/octet-stream', buffer: randomBytes(bytes) }]);
    await choose(20_480);
    await page.getByRole('alert').getByText('Not enough room: 10 KiB are free.').waitFor();
    await soon(async () => assert.ok(await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).isDisabled()));
    await noFindings(page);
    await page.keyboard.press('Escape');

    await choose(5120);
    await page.getByText('5 KiB; 10 KiB free').waitFor();
    await setQuota(1000);
    await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('Your quota is used up.').waitFor();
    await noFindings(page);
    await setQuota(10_240);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('link', { name: 'Download large.bin' }).waitFor();
    quiet(page);
    await page.context().close();
});
