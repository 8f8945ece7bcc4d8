// Writing: what sends, what an input method keeps to itself, what is pasted and dropped; and the shortcuts, which are those that a person wants.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { bubble, field, hasLog, openRoom, pair, said, write } from '../lib/talk.js';

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

test('an input method takes its words with Enter, and only the next Enter sends', async () => {
    const { a, room } = await pair(server);
    const page = await member(browser, a);
    await openRoom(page, room);
    await field(page).focus();
    const devtools = await page.context().newCDPSession(page);
    const compose = async (/** @type {string} */ text) => devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    await page.evaluate(() => {
        Object.assign(window, { composed: [] });
        addEventListener('keydown', (event) => { if (event.key === 'Enter') /** @type {any} */ (window).composed.push(event.isComposing); }, true);
    });
    await compose('ni hao');
    await soon(async () => assert.equal(await field(page).inputValue(), 'ni hao'));
    // As browsers say it: the key belongs to the input method.
    await devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 229 });
    await devtools.send('Input.insertText', { text: '你好' });
    await devtools.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 });
    await soon(async () => assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).composed), [true], 'the browser said that it composes'));
    await soon(async () => assert.equal(await field(page).inputValue(), '你好'));
    await soon(async () => assert.equal(await page.locator('article').count(), 0));
    await field(page).press('Enter');
    await bubble(page, '你好').waitFor();
    await until(async () => (await page.locator('.is-waiting').count()) === 0, 'it is sent');
    await hasLog(a, room, ['你好']);
    // The same where one searches: Enter takes the word and goes nowhere.
    await page.getByLabel('Search', { exact: true }).focus();
    await compose('ben');
    await devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 229 });
    await soon(async () => assert.equal(await page.getByLabel('Search', { exact: true }).inputValue(), 'ben'));
    quiet(page);
    await page.context().close();
});

test('Ctrl+Enter sends for who wants that, and Enter begins a line', async () => {
    const { a, room } = await pair(server);
    const page = await member(browser, a);
    await page.goto(`${server.url}/settings/keyboard`);
    await page.getByRole('radio', { name: 'Ctrl+Enter sends' }).check();
    await noFindings(page);
    await openRoom(page, room);
    await field(page).fill('first');
    await field(page).press('Enter');
    await field(page).pressSequentially('second');
    await soon(async () => assert.equal(await field(page).inputValue(), 'first\nsecond'));
    await field(page).press('Control+Enter');
    await bubble(page, 'second').waitFor();
    await page.keyboard.press('Control+/');
    await page.getByRole('dialog').locator('div', { hasText: /^Send\s*Ctrl\s*Enter$/ }).last().waitFor();
    await page.keyboard.press('Escape');
    await page.goto(`${server.url}/settings/keyboard`);
    await page.getByRole('radio', { name: 'Enter sends, Shift+Enter' }).check();
    await openRoom(page, room);
    await write(page, 'third');
    await until(async () => (await said(page)).length === 2, 'both are said');
    await until(async () => (await page.locator('.is-waiting').count()) === 0, 'they are sent');
    await hasLog(a, room, ['first\nsecond', 'third']);
    quiet(page);
    await page.context().close();
});

test('shortcuts are changed, a key that is taken is told, and all go back', async () => {
    const { a, room } = await pair(server);
    const page = await member(browser, a);
    await page.goto(`${server.url}/settings/keyboard`);
    const button = (/** @type {string} */ name) => page.getByRole('button', { name: `Change: ${name}, ` });
    await button('Search').waitFor();
    await noFindings(page);
    await picture(page, 'settings-keyboard');
    await button('Search').click();
    await page.getByRole('button', { name: 'Press the new keys' }).waitFor();
    await page.keyboard.press('Control+.');
    await page.getByText('Ctrl+. is already there for “About the room”.').waitFor();
    await button('Search').press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.getByText('↓ is needed for moving and writing.').waitFor();
    await button('Search').press('Enter');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Change: Search, Ctrl+K' }).waitFor();
    await button('Search').press('Enter');
    await page.keyboard.press('Control+Shift+F');
    await page.getByText('Search: Ctrl+Shift+F').waitFor();
    await noFindings(page);
    await openRoom(page, room);
    await field(page).focus();
    const isSearching = () => page.evaluate(() => document.activeElement?.getAttribute('type') === 'search');
    await page.keyboard.press('Control+k');
    await soon(async () => assert.equal(await isSearching(), false, 'the old keys do nothing'));
    await page.keyboard.press('Control+Shift+f');
    await until(isSearching, 'the new ones search');
    await page.keyboard.press('Control+/');
    await page.getByRole('dialog').locator('div', { hasText: /^Search\s*Ctrl\s*Shift\s*F$/ }).last().waitFor();
    await page.keyboard.press('Escape');
    await page.goto(`${server.url}/settings/keyboard`);
    await page.getByRole('button', { name: 'Back to Ctrl+K: Search' }).waitFor();
    await page.getByRole('button', { name: 'All as they were' }).click();
    await page.getByRole('button', { name: 'Change: Search, Ctrl+K' }).waitFor();
    await page.setViewportSize({ width: 320, height: 640 });
    await fitsSideways(page);
    quiet(page);
    await page.context().close();
});

/** What a clipboard or a dragged thing holds. @param {Page} page @param {{ name: string, type: string, base64: string }[]} files */
const transferOf = (page, files) => page.evaluateHandle((given) => {
    const transfer = new DataTransfer();
    for (const { name, type, base64 } of given) transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name, { type }));
    return transfer;
}, files);

/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

test('an image is pasted with a word, files are dropped, and a pasted text stays a text', async () => {
    const { a, room } = await pair(server);
    const page = await member(browser, a);
    await openRoom(page, room);
    await field(page).focus();
    const image = await transferOf(page, [{ name: 'image.png', type: 'image/png', base64: PNG }]);
    await page.evaluate((clipboardData) => document.activeElement?.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })), image);
    const offer = page.getByRole('dialog', { name: 'Send 1 file' });
    await offer.locator('img').waitFor();
    await offer.getByLabel(/A word with it/).fill('what I see');
    await noFindings(page);
    await offer.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('button', { name: 'View image.png' }).waitFor();
    await bubble(page, 'what I see').first().waitFor();

    const files = await transferOf(page, [{ name: 'one.txt', type: 'text/plain', base64: btoa('one') }, { name: 'two.txt', type: 'text/plain', base64: btoa('two') }]);
    await page.locator('.conversation').dispatchEvent('dragover', { dataTransfer: files });
    await page.getByText('Drop to send to Ben').waitFor();
    await page.locator('.conversation').dispatchEvent('drop', { dataTransfer: files });
    await page.getByRole('dialog', { name: 'Send 2 files' }).getByRole('button', { name: 'Leave one.txt out' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('link', { name: 'Download two.txt' }).waitFor();
    await soon(async () => assert.equal(await page.getByText('Drop to send to Ben').count(), 0));
    await soon(async () => assert.equal(await page.getByRole('link', { name: 'Download one.txt' }).count(), 0));

    // A text that is dragged is the field's business, and one that is pasted too.
    const text = await page.evaluateHandle(() => {
        const transfer = new DataTransfer();
        transfer.setData('text/plain', 'dragged words');
        return transfer;
    });
    await page.locator('.conversation').dispatchEvent('dragover', { dataTransfer: text });
    await soon(async () => assert.equal(await page.getByText('Drop to send to Ben').count(), 0));
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
    await page.evaluate(() => navigator.clipboard.writeText('two\nlines'));
    await field(page).focus();
    await page.keyboard.press('Control+v');
    await until(async () => (await field(page).inputValue()) === 'two\nlines', 'it is in the field');
    quiet(page);
    await page.context().close();
});

test('what the disk does not take is in the field again, and a draft after a reload', async () => {
    const { a, b, room } = await pair(server);
    await b.say(room, 'a question');
    const page = await member(browser, a);
    await page.addInitScript(() => {
        const real = IDBObjectStore.prototype.add;
        Object.assign(window, { isFull: true });
        IDBObjectStore.prototype.add = function add(...given) {
            if (/** @type {any} */ (window).isFull) throw new DOMException('no room', 'QuotaExceededError');
            return real.apply(this, given);
        };
    });
    await openRoom(page, room);
    await write(page, 'a long letter');
    await page.locator('.note').waitFor();
    await soon(async () => assert.equal(await field(page).inputValue(), 'a long letter'));
    await page.reload();
    await soon(async () => assert.equal(await field(page).inputValue(), 'a long letter'));
    await field(page).fill('');
    // An answer stays one.
    await bubble(page, 'a question').hover();
    await bubble(page, 'a question').getByRole('button', { name: 'Reply' }).click();
    await write(page, 'an answer');
    await page.locator('.note').waitFor();
    await soon(async () => assert.equal(await field(page).inputValue(), 'an answer'));
    await page.locator('.composer-area .about', { hasText: 'a question' }).waitFor();
    await page.evaluate(() => { /** @type {any} */ (window).isFull = false; });
    await field(page).press('Enter');
    await bubble(page, 'an answer').locator('.state').waitFor();
    await soon(async () => assert.equal(await field(page).inputValue(), ''));
    // So does an edit.
    await page.evaluate(() => { /** @type {any} */ (window).isFull = true; });
    await field(page).press('ArrowUp');
    await soon(async () => assert.equal(await field(page).inputValue(), 'an answer'));
    await write(page, 'another answer');
    await page.locator('.composer-area .about', { hasText: 'Editing' }).waitFor();
    await soon(async () => assert.equal(await field(page).inputValue(), 'another answer'));
    await page.evaluate(() => { /** @type {any} */ (window).isFull = false; });
    await field(page).press('Enter');
    await bubble(page, 'another answer').waitFor();
    const log = await until(async () => {
        const { items } = await b.ask('GET', `/rooms/${room}/log`);
        return items.some((/** @type {any} */ entry) => entry.body?.kind === 'edit') && items;
    }, 'the edit is sent');
    const answer = log.find((/** @type {any} */ entry) => entry.body?.text === 'an answer');
    assert.equal(answer.body.reply_to, log.find((/** @type {any} */ entry) => entry.body?.text === 'a question').position);
    await page.context().close();
});
