// What the page says where a browser keeps nothing, or has hardly any room.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, logIn, noFindings, picture, quiet, soon, visitor } from '../lib/browser.js';
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

test('a browser that refuses to keep anything is told of, and the page works all the same', async () => {
    const [ada, ben] = await Promise.all([server.person('ada', { nickname: 'Ada' }), server.person('ben', { nickname: 'Ben' })]);
    const room = await server.befriend(ada, ben);
    const page = await visitor(browser);
    await page.addInitScript(() => {
        // As a browser does where a policy or a private window forbids it.
        IDBFactory.prototype.open = () => { throw new DOMException('refused', 'SecurityError'); };
    });
    await logIn(page, ada);
    const warning = page.locator('.banner', { hasText: 'This browser keeps nothing' });
    await warning.waitFor();
    await noFindings(page);
    await picture(page, 'storage', { widths: [1280, 360] });
    await page.goto(`${server.url}/c/${room}`);
    await page.getByLabel('Write a message').fill('said all the same');
    await page.getByLabel('Write a message').press('Enter');
    await page.locator('.log .text', { hasText: 'said all the same' }).waitFor();
    await page.goto(`${server.url}/drive`);
    await page.locator('.drive-tools input[type=file][multiple]').setInputFiles([{ name: 'kept.txt', mimeType: 'text/plain', buffer: Buffer.from('kept') }]);
    await page.getByRole('row', { name: /^kept\.txt,/ }).waitFor();
    await warning.getByRole('button', { name: 'Close' }).click();
    await warning.waitFor({ state: 'detached' });
    quiet(page);
    await page.context().close();
});

test('of two tabs that can keep nothing each sends what is written in it', async () => {
    const [fay, gus] = await Promise.all([server.person('fay', { nickname: 'Fay' }), server.person('gus', { nickname: 'Gus' })]);
    const room = await server.befriend(fay, gus);
    const first = await visitor(browser);
    await first.context().addInitScript(() => {
        IDBFactory.prototype.open = () => { throw new DOMException('refused', 'SecurityError'); };
    });
    await logIn(first, fay);
    const second = await first.context().newPage();
    for (const page of [first, second]) {
        await page.goto(`${server.url}/c/${room}`);
        await page.getByLabel('Write a message').waitFor();
    }
    for (const [page, text] of /** @type {const} */ ([[second, 'from the second'], [first, 'from the other']])) {
        await page.getByLabel('Write a message').fill(text);
        await page.getByLabel('Write a message').press('Enter');
        await Promise.all([first, second].map((each) => each.locator('article:not(.is-waiting) .text', { hasText: text }).waitFor()));
    }
    const log = await gus.ask('GET', `/rooms/${room}/log`);
    assert.deepEqual(log.items.map((/** @type {any} */ entry) => entry.body?.text).filter(Boolean), ['from the second', 'from the other']);
    quiet(first);
    await first.context().close();
});

test('a local copy that opens and cannot be read is done without', async () => {
    const dora = await server.person('dora');
    const page = await visitor(browser);
    await page.addInitScript(() => {
        IDBDatabase.prototype.transaction = () => { throw new DOMException('the copy is damaged', 'UnknownError'); };
    });
    await logIn(page, dora);
    await page.locator('.banner', { hasText: 'This browser keeps nothing' }).waitFor();
    await page.goto(`${server.url}/c/${dora.account.home}`);
    await page.getByLabel('Write a message').fill('a note all the same');
    await page.getByLabel('Write a message').press('Enter');
    await page.locator('.log .text', { hasText: 'a note all the same' }).waitFor();
    await soon(async () => assert.equal(await page.locator('.is-waiting').count(), 0));
    quiet(page);
    await page.context().close();
});

test('a disk that is nearly full is told of', async () => {
    const cleo = await server.person('cleo');
    const page = await visitor(browser);
    await page.addInitScript(() => {
        StorageManager.prototype.estimate = async () => ({ quota: 100_000_000, usage: 90_000_000 });
    });
    await logIn(page, cleo);
    const warning = page.locator('.banner', { hasText: 'The disk is nearly full' });
    await warning.waitFor();
    await warning.getByRole('button', { name: 'Close' }).click();
    await warning.waitFor({ state: 'detached' });
    await soon(async () => assert.equal(await page.locator('.banner:visible').count(), 0));
    quiet(page);
    await page.context().close();
});
