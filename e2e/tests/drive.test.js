// The drives: what people do with files and folders, with the mouse, the keyboard alone, and a finger.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Server} */
let server;
before(async () => {
    browser = await launch();
    server = await Server.withOperator();
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** A red square of so many pixels, as the smallest PNG that has them. @param {number} side */
async function image(side) {
    const page = await browser.newPage();
    const data = await page.evaluate((side) => {
        const canvas = document.createElement('canvas');
        canvas.width = side;
        canvas.height = side / 2;
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
        context.fillStyle = '#c04030';
        context.fillRect(0, 0, side, side);
        return canvas.toDataURL('image/png').split(',')[1];
    }, side);
    await page.close();
    return Buffer.from(data, 'base64');
}

/** @param {Page} page @param {string} name */
const row = (page, name) => page.getByRole('row', { name: new RegExp(`^${name.replace(/[.()]/g, '\\$&')},`) });
/** @param {Page} page */
const grid = (page) => page.getByRole('grid', { name: 'Files and folders' });

test('files are listed, sorted, renamed, moved, removed and brought back', async () => {
    const ada = await server.person('ada');
    await ada.put('home', 'letters/to ben.txt', 'Dear Ben');
    await ada.put('home', 'notes.md', '# Notes');
    await ada.put('home', 'big.bin', new Uint8Array(300_000));
    const page = await member(browser, ada, { width: 1280, height: 800 });
    await page.goto(`${server.url}/drive`);
    await row(page, 'letters').waitFor();
    const names = () => page.getByRole('row').evaluateAll((rows) => rows.map((each) => each.getAttribute('aria-label')?.split(',')[0]));
    await soon(async () => assert.deepEqual(await names(), ['letters', 'big.bin', 'notes.md']));
    await page.getByRole('group', { name: 'Order' }).getByRole('button', { name: 'Size' }).click();
    await soon(async () => assert.deepEqual(await names(), ['letters', 'big.bin', 'notes.md']));
    await page.getByRole('group', { name: 'Order' }).getByRole('button', { name: 'Size' }).click();
    await soon(async () => assert.deepEqual(await names(), ['letters', 'notes.md', 'big.bin']));

    await row(page, 'notes.md').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('ideas.md');
    await page.keyboard.press('Enter');
    await row(page, 'ideas.md').waitFor();

    await row(page, 'ideas.md').dragTo(row(page, 'letters'));
    await until(async () => (await ada.ask('GET', '/rooms/home/node?path=letters/ideas.md').catch(() => null)) !== null, 'the file is in the folder');
    await row(page, 'ideas.md').waitFor({ state: 'detached' });

    await row(page, 'letters').getByText('letters').click();
    await row(page, 'to ben.txt').waitFor();
    await noFindings(page);
    await row(page, 'to ben.txt').getByText('to ben.txt').click({ modifiers: ['Control'] });
    await row(page, 'ideas.md').click({ modifiers: ['Control'], position: { x: 400, y: 20 } });
    await page.getByRole('toolbar', { name: 'Actions' }).getByRole('button', { name: 'Move to the trash' }).click();
    await page.getByText('Nothing is here yet').waitFor();

    await page.getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: 'My files' }).click();
    await page.getByRole('link', { name: 'Trash' }).first().click();
    await page.getByRole('row', { name: /^ideas\.md,/ }).click({ position: { x: 400, y: 20 } });
    await page.getByRole('button', { name: 'Bring back' }).click();
    await page.getByRole('row', { name: /^ideas\.md,/ }).waitFor({ state: 'detached' });
    await ada.ask('GET', '/rooms/home/node?path=letters/ideas.md');
    await noFindings(page);
    quiet(page);
    await page.context().close();
});

test('everything is done with the keyboard alone', async () => {
    const ben = await server.person('ben');
    await ben.put('home', 'a.txt', 'a');
    await ben.put('home', 'b.txt', 'b');
    await ben.put('home', 'c.txt', 'c');
    const page = await member(browser, ben);
    await page.goto(`${server.url}/drive`);
    await row(page, 'a.txt').waitFor();
    await grid(page).focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await soon(async () => assert.equal(await row(page, 'a.txt').getAttribute('aria-selected'), 'true'));
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByRole('status').filter({ hasText: '2 selected' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('c');
    await soon(async () => assert.equal(await row(page, 'c.txt').getAttribute('aria-selected'), 'true'));
    await page.keyboard.press('F2');
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    await page.keyboard.type('z');
    await page.keyboard.press('Enter');
    await row(page, 'z.txt').waitFor();
    await soon(async () => assert.ok(await grid(page).evaluate((element) => element === document.activeElement)));
    await page.keyboard.press('Shift+F10');
    await page.getByRole('menu').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Delete');
    await row(page, 'z.txt').waitFor({ state: 'detached' });
    await grid(page).focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'a.txt' }).waitFor();
    await page.getByRole('document').getByText('a', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Control+a');
    await page.getByRole('status').filter({ hasText: '2 selected' }).waitFor();
    quiet(page);
    await page.context().close();
});

test('files go up, are seen by others at once, and come down as one archive', async () => {
    const cleo = await server.person('cleo');
    const dan = await server.person('dan');
    const room = await server.befriend(cleo, dan);
    const [here, there] = [await member(browser, cleo), await member(browser, dan)];
    await here.goto(`${server.url}/drive/${room}/files`);
    await there.goto(`${server.url}/drive/${room}/files`);
    await there.getByText('Nothing is here yet').waitFor();
    await here.getByText('Nothing is here yet').waitFor();
    const bytes = await image(800);
    await here.locator('input[type=file][multiple]').first().setInputFiles([
        { name: 'red.png', mimeType: 'image/png', buffer: bytes },
        { name: 'words.txt', mimeType: 'text/plain', buffer: Buffer.from('words') },
    ]);
    await row(here, 'red.png').waitFor();
    await row(there, 'words.txt').waitFor();
    await here.getByRole('region', { name: 'Uploads' }).getByText('2 files are there').waitFor();
    await here.getByRole('region', { name: 'Uploads' }).getByRole('button', { name: 'Close' }).click();

    // The same name again: the person decides.
    await here.locator('input[type=file][multiple]').first().setInputFiles([{ name: 'words.txt', mimeType: 'text/plain', buffer: Buffer.from('other words') }]);
    await here.getByRole('button', { name: 'Keep both' }).click();
    await row(here, 'words (2).txt').waitFor();

    await row(there, 'red.png').getByText('red.png').click();
    const viewer = there.getByRole('dialog', { name: 'red.png' });
    await viewer.getByRole('button', { name: 'Show in full size' }).waitFor();
    await until(() => viewer.locator('img[alt="red.png"]').evaluate((/** @type {HTMLImageElement} */ img) => img.naturalWidth === 800), 'the image is shown');
    await noFindings(there);
    await there.keyboard.press('ArrowRight');
    await there.getByRole('dialog', { name: 'words (2).txt' }).waitFor();
    await there.keyboard.press('Escape');

    await grid(there).focus();
    await there.keyboard.press('Control+a');
    const saved = there.waitForEvent('download');
    await there.getByRole('toolbar', { name: 'Actions' }).getByRole('button', { name: 'Download' }).click();
    const file = await (await saved).path();
    const archive = await readFile(file);
    assert.equal(archive.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
    assert.ok(archive.includes('words (2).txt') && archive.includes(bytes.subarray(0, 60)));
    quiet(here, there);
    await here.context().close();
    await there.context().close();
});

/** Holds back an answer that has been given already, the first whose address is such a one. @param {Page} page @param {RegExp} which */
async function holdBack(page, which) {
    let open = () => {};
    const opened = new Promise((resolve) => { open = () => resolve(undefined); });
    const held = new Promise((resolve) => {
        void page.route(which, async (route) => {
            const response = await route.fetch();
            resolve(undefined);
            await opened;
            await route.fulfill({ response });
        }, { times: 1 });
    });
    return { held, open };
}

test('what is put while a folder is read, or while something else is taken over, is there', async () => {
    const hugo = await server.person('hugo');
    await hugo.put('home', 'first.txt', 'first');
    const page = await member(browser, hugo);
    /** Puts a file, and waits until the page has heard of it. @param {string} name */
    const put = async (name) => {
        const heard = page.waitForRequest(/\/drive$/);
        await hugo.put('home', name, name);
        await heard;
    };
    const list = await holdBack(page, /\/list\?/);
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Files' }).click();
    await list.held;
    await put('second.txt');
    list.open();
    for (const name of ['first.txt', 'second.txt']) await row(page, name).waitFor();

    const node = await holdBack(page, /\/node\?id=/);
    await put('third.txt');
    await node.held;
    await put('fourth.txt');
    await page.waitForTimeout(500);
    node.open();
    for (const name of ['third.txt', 'fourth.txt']) await row(page, name).waitFor();
    await page.waitForTimeout(500);
    assert.equal(await page.getByRole('row', { name: /\.txt,/ }).count(), 4);

    // What could not be asked for is asked for again with the next connection.
    await page.route(/\/changes\?/, (route) => route.abort(), { times: 1 });
    const failed = page.waitForEvent('requestfailed', (request) => /\/changes\?/.test(request.url()));
    await put('fifth.txt');
    await failed;
    await page.context().setOffline(true);
    await page.locator('.banner', { hasText: 'Offline' }).waitFor();
    await page.context().setOffline(false);
    await row(page, 'fifth.txt').waitFor();
    quiet(page);
    await page.context().close();
});

test('a file has a history, tags, and what changed is told with who did it', async () => {
    const emma = await server.person('emma');
    await emma.put('home', 'plan.txt', 'first');
    await emma.put('home', 'plan.txt', 'second');
    const page = await member(browser, emma);
    await page.goto(`${server.url}/drive`);
    await row(page, 'plan.txt').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Details and history' }).click();
    const dialog = page.getByRole('dialog', { name: 'plan.txt' });
    await dialog.getByRole('button', { name: 'Bring back' }).click();
    await page.getByRole('dialog', { name: 'Bring this revision back?' }).getByRole('button', { name: 'Bring back' }).click();
    await until(async () => (await dialog.getByRole('listitem').count()) === 3, 'three revisions');
    await dialog.getByLabel('New tag').fill('boat');
    await page.keyboard.press('Enter');
    await dialog.getByRole('link', { name: 'boat' }).waitFor();
    await noFindings(page);
    const answer = await fetch(`${server.url}/api/v1/rooms/home/content/plan.txt`, { headers: { authorization: `Bearer ${emma.token}` } });
    assert.equal(await answer.text(), 'first');
    await dialog.getByRole('link', { name: 'boat' }).click();
    await page.getByRole('heading', { name: 'With the tag boat' }).waitFor();
    await row(page, 'plan.txt').waitFor();
    await page.goto(`${server.url}/drive/${emma.account.home}/changes`);
    await page.getByRole('listitem').filter({ hasText: 'You changed the tags of plan.txt' }).waitFor();
    await noFindings(page);
    quiet(page);
    await page.context().close();
});

test('nodes move and are copied to the drive of a room, by menu and by dragging, and no bytes travel', async () => {
    const kai = await server.person('kai');
    const lea = await server.person('lea');
    const room = await server.befriend(kai, lea);
    const group = await kai.ask('POST', '/rooms', { name: 'Harbour', invite: [] });
    const bytes = new Uint8Array(3_000_000).map((_, index) => index % 253);
    await kai.put('home', 'Trip/film.bin', bytes);
    await kai.put('home', 'Trip/notes/day 1.md', '# One');
    await kai.put('home', 'plan.txt', 'mine');
    await kai.put(room, 'plan.txt', 'theirs');
    const page = await member(browser, kai);
    let sentBytes = 0;
    page.on('request', (request) => { if (/\/(chunks|content)/.test(request.url())) sentBytes += request.postDataBuffer()?.length ?? 0; });
    await page.goto(`${server.url}/drive`);
    const read = async (/** @type {string} */ of, /** @type {string} */ file) => (await fetch(`${server.url}/api/v1/rooms/${of}/content/${file}`, { headers: { authorization: `Bearer ${kai.token}` } })).arrayBuffer();

    await row(page, 'Trip').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Move …' }).click();
    const chooser = page.getByRole('dialog', { name: 'Move 1 item' });
    await chooser.getByLabel('Drives').selectOption({ label: 'lea' });
    await chooser.getByText('The history stays here').waitFor();
    await noFindings(page);
    await chooser.getByRole('button', { name: 'Move here' }).click();
    await row(page, 'Trip').waitFor({ state: 'detached' });
    assert.deepEqual(new Uint8Array(await read(room, 'Trip/film.bin')), bytes);
    assert.equal(Buffer.from(await read(room, 'Trip/notes/day%201.md')).toString(), '# One');
    assert.deepEqual((await kai.ask('GET', '/rooms/home/trash')).items.map((/** @type {any} */ node) => node.name), ['Trip']);

    // A name that is taken there gets a number.
    await row(page, 'plan.txt').click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Copy …' }).click();
    const copier = page.getByRole('dialog', { name: 'Copy 1 item' });
    await copier.getByLabel('Drives').selectOption({ label: 'lea' });
    await copier.getByRole('button', { name: 'Copy here' }).click();
    await page.getByText('1 item is copied to the top').waitFor();
    assert.equal(Buffer.from(await read(room, 'plan%20(2).txt')).toString(), 'mine');
    await row(page, 'plan.txt').waitFor();

    await row(page, 'plan.txt').dragTo(page.getByRole('navigation', { name: 'Drives' }).getByRole('link', { name: 'Harbour' }));
    await row(page, 'plan.txt').waitFor({ state: 'detached' });
    assert.equal(Buffer.from(await read(group.id, 'plan.txt')).toString(), 'mine');
    assert.equal(sentBytes, 0);
    quiet(page);
    await page.context().close();
});

test('a folder of many files has few rows in the document, and scrolls', async () => {
    const finn = await server.person('finn');
    const manifest = Buffer.from([1, 0, 0, 0, 0]).toString('base64');
    const count = 100_000;
    for (let from = 0; from < count; from += 10_000) {
        const ops = Array.from({ length: 10_000 }, (_, index) => ({ op: 'put', path: `many/file ${String(from + index).padStart(6, '0')}.txt`, manifest }));
        await finn.ask('POST', '/rooms/home/commit', { id: crypto.randomUUID(), ops });
    }
    const page = await member(browser, finn);
    await page.goto(`${server.url}/drive/${finn.account.home}/files/many`);
    await page.getByText('100,000 items').first().waitFor();
    await soon(async () => assert.ok((await page.getByRole('row').count()) <= 400));
    await grid(page).focus();
    await page.keyboard.press('End');
    await row(page, 'file 099999.txt').waitFor();
    await soon(async () => assert.ok((await page.getByRole('row').count()) <= 400));
    await page.keyboard.press('Home');
    await row(page, 'file 000000.txt').waitFor();
    quiet(page);
    await page.context().close();
});

test('it fits on a phone, in tiles and in rows', async () => {
    const gwen = await server.person('gwen');
    await gwen.put('home', 'Photos/red.png', await image(400));
    await gwen.put('home', 'A file with quite a long name that does not fit into one line of a phone.txt', 'x');
    await gwen.put('home', '<script>alert(1)</script>.txt', 'x');
    await gwen.put('home', 'report\u202Efdp.exe', 'x');
    const page = await member(browser, gwen, { width: 320, height: 640 });
    await page.goto(`${server.url}/drive/${gwen.account.home}/files`);
    await row(page, 'Photos').waitFor();
    await fitsSideways(page);
    await noFindings(page);
    await page.getByRole('button', { name: 'Show as tiles' }).click();
    await page.getByRole('gridcell', { name: /^Photos,/ }).waitFor();
    await fitsSideways(page);
    await noFindings(page);
    await picture(page, 'drive-tiles');
    await page.getByRole('button', { name: 'Show as tiles' }).click();
    await picture(page, 'drive-rows');
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Trash' }).click();
    await page.getByText('The trash is empty.').waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await row(page, 'Photos').waitFor();
    quiet(page);
    await page.context().close();
});

test('what is dropped is put, a full quota is said, and a finger selects', async () => {
    const hana = await server.person('hana');
    await hana.put('home', 'Letters/one.txt', 'one');
    await hana.put('home', 'two.txt', 'two');
    const page = await member(browser, hana, { width: 390, height: 780, options: { hasTouch: true, isMobile: true } });
    await page.goto(`${server.url}/drive/${hana.account.home}/files`);
    await row(page, 'Letters').waitFor();
    /** @param {string} selector @param {string} name @param {number} bytes */
    const drop = async (selector, name, bytes) => {
        const transfer = await page.evaluateHandle(([name, bytes]) => {
            const made = new DataTransfer();
            made.items.add(new File([new Uint8Array(/** @type {number} */ (bytes))], /** @type {string} */ (name)));
            return made;
        }, /** @type {[string, number]} */ ([name, bytes]));
        await page.dispatchEvent(selector, 'dragover', { dataTransfer: transfer });
        await page.dispatchEvent(selector, 'drop', { dataTransfer: transfer });
    };
    await drop('.drive-row.is-folder', 'dropped.txt', 10);
    await until(async () => (await hana.ask('GET', '/rooms/home/node?path=Letters/dropped.txt').catch(() => null)) !== null, 'the file is in the folder it was dropped on');
    await /** @type {import('../lib/server.js').Person} */ (server.operator).ask('PATCH', `/admin/accounts/${hana.id}`, { quota_bytes: 100 });
    await drop('.drive-area', 'large.bin', 5000);
    await page.getByRole('dialog', { name: 'There is not enough room' }).getByText('4.9 KiB are to go up').waitFor();
    await noFindings(page);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('region', { name: 'Uploads' }).getByRole('button', { name: 'Close' }).click();

    // A tap opens; a finger that rests selects, and then a tap adds.
    const box = /** @type {{ x: number, y: number }} */ (await row(page, 'two.txt').boundingBox());
    const finger = await page.context().newCDPSession(page);
    await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x: box.x + 150, y: box.y + 20 }] });
    await page.getByRole('status').filter({ hasText: '1 selected' }).waitFor();
    await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await row(page, 'Letters').tap();
    await page.getByRole('status').filter({ hasText: '2 selected' }).waitFor();
    await page.getByRole('button', { name: 'Select nothing' }).tap();
    await row(page, 'Letters').tap();
    await row(page, 'one.txt').waitFor();
    await page.getByRole('button', { name: 'New' }).tap();
    await page.getByRole('menuitem', { name: 'New folder' }).tap();
    await page.getByLabel('Name', { exact: true }).fill('Drafts');
    await page.getByRole('button', { name: 'Make' }).tap();
    await row(page, 'Drafts').waitFor();
    quiet(page);
    await page.context().close();
});

test('a reader of a room sees its drive, and changes nothing', async () => {
    const ida = await server.person('ida');
    const jan = await server.person('jan');
    await server.befriend(ida, jan);
    const room = await ida.ask('POST', '/rooms', { name: 'Readers', invite: [jan.id] });
    await ida.put(room.id, 'rules.md', '# Rules\n\n- [x] read\n- <script>alert(1)</script>');
    await jan.ask('POST', `/room-invitations/${room.id}/accept`);
    await ida.ask('PATCH', `/rooms/${room.id}/members/${jan.id}`, { role: 'reader' });
    const page = await member(browser, jan);
    await page.goto(`${server.url}/drive/${room.id}/files`);
    await row(page, 'rules.md').waitFor();
    await until(async () => (await page.getByRole('button', { name: 'New' }).count()) === 0, 'nothing can be made');
    await row(page, 'rules.md').click({ button: 'right' });
    await soon(async () => assert.deepEqual(await page.getByRole('menuitem').allTextContents(), ['Open', 'Download', 'Copy …', 'Details and history']));
    await page.getByRole('menuitem', { name: 'Open' }).click();
    await page.getByRole('dialog', { name: 'rules.md' }).getByRole('heading', { name: 'Rules' }).waitFor();
    await page.getByText('<script>alert(1)</script>').waitFor();
    await noFindings(page);
    quiet(page);
    await page.context().close();
});

test('what was changed without a connection is shown when it is back', async () => {
    const [ada, ben] = await Promise.all([server.person('gap', { nickname: 'Gap' }), server.person('gap.friend', { nickname: 'Friend' })]);
    // With a list that has been changed: one that never was is told whole each time.
    await server.befriend(ada, ben);
    const { home } = ada.account;
    const [page, other] = await Promise.all([member(browser, ada), member(browser, ada)]);
    const put = async (/** @type {string} */ name) => {
        await page.context().setOffline(true);
        await page.locator('.banner', { hasText: 'Offline' }).waitFor();
        await ada.put(home, name, 'x'.repeat(100_000));
        // By then all who have a connection have been told.
        await row(other, name).waitFor();
        await page.context().setOffline(false);
    };
    await Promise.all([page, other].map((each) => each.goto(`${server.url}/drive`)));
    await Promise.all([page, other].map((each) => each.getByText('Nothing is here yet').waitFor()));
    const used = await page.locator('.drive-quota').innerText();
    await put('meanwhile.txt');
    await row(page, 'meanwhile.txt').waitFor();
    await soon(async () => assert.notEqual(await page.locator('.drive-quota').innerText(), used));
    await page.getByRole('link', { name: 'What changed' }).first().click();
    await page.locator('.drive-change', { hasText: 'meanwhile.txt' }).waitFor();
    await put('once more.txt');
    await page.locator('.drive-change', { hasText: 'once more.txt' }).waitFor();
    quiet(page, other);
    await Promise.all([page, other].map((each) => each.context().close()));
});
