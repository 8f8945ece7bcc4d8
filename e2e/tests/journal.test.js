// The journal: days, tags and origins of some years in the demonstration, and what one writes, edits and deletes on a server of one's own.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, listen, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('../lib/server.js').Person} Person */

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Server} */
let server;
/** @type {Awaited<ReturnType<typeof Server.demo>>} */
let demo;
/** @type {Person} */
let mara;
before(async () => {
    [browser, server, demo] = await Promise.all([launch(), Server.withOperator({ args: ['--gateway', 'diary=127.0.0.1:0'] }), Server.demo()]);
    mara = await demo.logIn('mara');
});
after(async () => {
    await browser?.close();
    await Promise.all([server?.stop(), demo?.server.stop()]);
});

/** The time zone of the demonstration, which is the machine's. */
const timezoneId = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @param {Page} page */
const entries = (page) => page.locator('.journal-entry');
/** @param {Page} page @param {string} text */
const entry = (page, text) => entries(page).filter({ hasText: text });
/** @param {Page} page */
const field = (page) => page.getByLabel('Write an entry');
/** @param {Page} page @param {string} path */
const open = (page, path) => page.goto(new URL(path, page.url()).href);

/** Somebody with a journal and a browser. @param {string} username @param {Parameters<typeof member>[2]} [options] */
async function author(username, options) {
    const person = await server.person(username);
    const page = await member(browser, person, options);
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Journal' }).click();
    return { person, page, home: person.account.home };
}

/** @param {Page} page @param {string} text */
async function write(page, text) {
    await field(page).fill(text);
    await field(page).press('Enter');
}

test('who is new and writes before there is a connection stays in the field', async () => {
    const page = await member(browser, await server.person('early'));
    await open(page, '/journal');
    await field(page).waitFor();
    /** @type {(value?: unknown) => void} */
    let release = () => {};
    const released = new Promise((resolve) => { release = resolve; });
    /** @type {(value?: unknown) => void} */
    let welcomed = () => {};
    const isWelcomed = new Promise((resolve) => { welcomed = resolve; });
    await page.routeWebSocket(/\/api\/v1\/live/, (socket) => {
        const origin = socket.connectToServer();
        origin.onMessage(async (message) => {
            await released;
            socket.send(message);
            if (JSON.parse(String(message)).type === 'ready') welcomed();
        });
    });
    await page.reload();
    await field(page).focus();
    await page.keyboard.type('Up before ');
    release();
    await isWelcomed;
    // What that changes is drawn.
    await page.evaluate(() => new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); }));
    await page.keyboard.type('the sun');
    await page.keyboard.press('Enter');
    await entry(page, 'Up before the sun').waitFor();
    quiet(page);
    await page.context().close();
});

test('the calendar marks the days that have entries, and leads to them', async () => {
    const page = await member(browser, mara, { options: { timezoneId } });
    await page.getByRole('link', { name: 'Journal' }).click();
    await entry(page, 'First frost').waitFor();
    await picture(page, 'journal');
    await noFindings(page);
    const calendar = page.getByRole('region', { name: 'Calendar' });
    const now = new Date();
    const name = (/** @type {number} */ years) => new Date(now.getFullYear() - years, now.getMonth(), now.getDate()).toLocaleDateString('en-GB', { dateStyle: 'full' });
    // A year back by the keyboard alone, and to the day.
    await calendar.getByRole('gridcell').getByRole('button', { name: name(0) }).focus();
    await page.keyboard.press('Shift+PageUp');
    await calendar.getByRole('button', { name: `${name(1)}, 1 entry` }).waitFor();
    await until(() => page.evaluate((wanted) => document.activeElement?.getAttribute('aria-label') === wanted, `${name(1)}, 1 entry`), 'the focus is on the day a year ago');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await entry(page, 'Last sail of the year').waitFor();
    await until(async () => (await page.locator('.journal-day').allInnerTexts()).some((text) => text.includes(String(now.getFullYear() - 1))), 'the day has its heading');
    await soon(() => assert.match(page.url(), /\/journal\/entries\?day=\d{4}-\d\d-\d\d$/));
    await soon(async () => assert.equal(await calendar.getByRole('button', { name: `${name(1)}, 1 entry` }).getAttribute('aria-pressed'), 'true'));
    await noFindings(page);
    quiet(page);
    await page.context().close();
});

test('on this day: what was written in other years', async () => {
    const page = await member(browser, mara, { options: { timezoneId } });
    await open(page, '/journal');
    await page.getByRole('link', { name: /^On this day/ }).click();
    await entry(page, 'Bought her').waitFor();
    await entry(page, 'A year with her').waitFor();
    await entry(page, 'Last sail of the year').waitFor();
    await page.getByText('3 years ago').waitFor();
    await soon(async () => assert.equal(await entry(page, 'Read half of the almanac').count(), 0));
    await noFindings(page);
    await picture(page, 'journal-on-this-day', { widths: [1280, 360] });
    // From there to its neighbours of that time.
    await entry(page, 'A year with her').getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Show among all' }).click();
    await page.getByRole('heading', { name: 'All entries' }).waitFor();
    await entry(page, 'A year with her').waitFor();
    await entry(page, 'Ice on the ropes').waitFor();
    quiet(page);
    await page.context().close();
});

test('tags, origins and days restrict, together, and are taken away again', async () => {
    const page = await member(browser, mara, { options: { timezoneId } });
    await open(page, '/journal');
    await entry(page, 'First frost').getByRole('link', { name: '#harbour' }).click();
    await entry(page, 'A seal at the pier').waitFor();
    await soon(async () => assert.equal(await entry(page, 'Soup, test').count(), 0));
    const { items } = await mara.ask('GET', `/rooms/${mara.account.home}/diary?tag=harbour`);
    await until(async () => (await entries(page).count()) === items.length, 'all that have the tag');
    await page.getByRole('link', { name: /^#petrel/ }).click();
    await page.getByRole('link', { name: /^UDP/ }).click();
    await until(async () => (await entries(page).count()) === 3, 'what the box aboard wrote');
    await entry(page, 'Bilge wet').waitFor();
    await soon(async () => assert.match(await entry(page, 'Bilge wet').innerText(), /UDP · 192\.168\.1\.77/));
    await noFindings(page);
    await picture(page, 'journal-chosen', { widths: [1280, 800, 360] });
    await page.getByRole('button', { name: 'Choose days' }).click();
    const day = new Date(Date.now() - 20 * 86_400_000).toISOString().slice(0, 10);
    await page.getByLabel('From').fill(day);
    await noFindings(page, { within: 'dialog' });
    await page.keyboard.press('Enter');
    await until(async () => (await entries(page).count()) === 1, 'the one of these days');
    await page.getByRole('list', { name: 'Chosen' }).getByRole('link', { name: 'Not only #petrel' }).click();
    await page.getByRole('list', { name: 'Chosen' }).getByRole('link', { name: 'Not only UDP' }).click();
    await entry(page, 'Fog.').waitFor();
    await page.getByRole('list', { name: 'Chosen' }).getByRole('link').click();
    await page.getByRole('heading', { name: 'All entries' }).waitFor();
    quiet(page);
    await page.context().close();
});

test('the search finds what was written, and leads there', async () => {
    const page = await member(browser, mara, { options: { timezoneId } });
    await open(page, '/journal');
    await page.getByRole('region', { name: 'Calendar' }).waitFor();
    await page.keyboard.press('Control+K');
    await page.keyboard.type('fennel');
    await page.locator('.journal-hits mark', { hasText: 'fennel' }).waitFor();
    await noFindings(page);
    await page.keyboard.press('Tab');
    await page.locator('.journal-hits .found').first().focus();
    await page.keyboard.press('Enter');
    await entry(page, 'too much fennel').waitFor();
    await page.getByLabel('Search the journal').fill('nobody wrote that');
    await page.getByText('There are no such entries.').waitFor();
    quiet(page);
    await page.context().close();
});

test('an entry is written, edited, seen in its versions and deleted', async () => {
    const { person, page, home } = await author('ada');
    await page.getByText('Nothing yet.').waitFor();
    await noFindings(page);
    await picture(page, 'journal-empty', { widths: [1280, 360] });
    await field(page).fill('Rain all *day*. #garden');
    await field(page).press('Shift+Enter');
    await field(page).pressSequentially('And wind.');
    await field(page).press('Enter');
    await entry(page, 'And wind.').getByRole('link', { name: '#garden' }).waitFor();
    await soon(async () => assert.equal(await entry(page, 'And wind.').locator('em').innerText(), 'day'));
    await page.getByRole('link', { name: /^#garden/ }).first().waitFor();

    await field(page).press('ArrowUp');
    await page.getByText('Editing').waitFor();
    await write(page, 'Rain all morning.');
    await entry(page, 'Rain all morning.').getByRole('button', { name: 'edited' }).click();
    const versions = page.getByRole('dialog', { name: 'Versions' });
    await versions.getByText('And wind.').waitFor();
    await soon(async () => assert.equal(await versions.getByRole('listitem').count(), 2));
    await noFindings(page, { within: 'dialog' });
    await page.keyboard.press('Escape');

    // The same by the keyboard alone: to the entry, its menu, delete.
    await page.locator('.journal-log').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Delete' }).waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).waitFor();
    await page.keyboard.press('Enter');
    await until(async () => (await entries(page).count()) === 0, 'it is gone');
    const { items } = await person.ask('GET', `/rooms/${home}/diary`);
    assert.deepEqual(items, []);
    quiet(page);
    await page.context().close();
});

test('what comes from elsewhere appears: another tab, another device, and with what was chosen', async () => {
    const { person, page, home } = await author('ben');
    await page.getByText('Nothing yet.').waitFor();
    const tab = await page.context().newPage();
    listen(tab);
    await tab.goto(`${server.url}/journal/entries?tag=ship`);
    await tab.getByText('There are no such entries.').waitFor();
    await person.say(home, 'Under way. #ship');
    await Promise.all([entry(page, 'Under way.').waitFor(), entry(tab, 'Under way.').waitFor()]);
    await soon(async () => assert.match(await page.locator('[data-announcer]').innerText(), /Under way/));
    await write(page, 'Nothing of the kind.');
    await entry(page, 'Nothing of the kind.').waitFor();
    await person.say(home, 'Arrived. #ship');
    await entry(tab, 'Arrived.').waitFor();
    await soon(async () => assert.equal(await entries(tab).count(), 2));
    // An edit takes the tag from one, and gives it to another.
    const { items } = await person.ask('GET', `/rooms/${home}/diary`);
    await person.say(home, { kind: 'edit', target: items[0].position, text: 'Under way.' });
    await person.say(home, { kind: 'edit', target: items[1].position, text: 'Now of the kind. #ship' });
    await entry(tab, 'Now of the kind.').waitFor();
    await until(async () => (await entry(tab, 'Under way.').count()) === 0, 'it has no tag any more');
    quiet(page, tab);
    await page.context().close();
});

test('written without a network, an entry waits and is sent', async () => {
    const { person, page, home } = await author('cleo');
    await write(page, 'before');
    await entry(page, 'before').waitFor();
    await page.context().setOffline(true);
    await page.locator('.banner', { hasText: 'Offline' }).waitFor();
    await write(page, 'at sea');
    await page.getByText('Offline. 1 message waits.').waitFor();
    await noFindings(page);
    await page.reload();
    await page.locator('article', { hasText: 'at sea' }).waitFor();
    await entry(page, 'before').waitFor();
    await page.context().setOffline(false);
    await entry(page, 'at sea').waitFor();
    const { items } = await person.ask('GET', `/rooms/${home}/diary`);
    assert.deepEqual(items.map((/** @type {any} */ item) => item.body.text), ['before', 'at sea']);
    quiet(page);
    await page.context().close();
});

test('entries are printed without the frame, and saved as Markdown and JSON Lines', async () => {
    const page = await member(browser, mara, { options: { timezoneId } });
    await open(page, '/journal/entries?tag=soup');
    await entry(page, 'too much fennel').waitFor();
    await page.evaluate(() => {
        // A headless browser has no paper: what would be on it stays until the test has looked.
        window.print = () => document.body.classList.add('was-printed');
    });
    await page.keyboard.press('Control+P');
    const dialog = page.getByRole('dialog', { name: 'Print or save' });
    await dialog.getByText('Only #soup').waitFor();
    await noFindings(page, { within: 'dialog' });
    await picture(page, 'journal-takeout', { widths: [1280, 360] });
    const saved = async (/** @type {string} */ name) => {
        const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name }).click()]);
        return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
    };
    const markdown = await saved('Save as Markdown');
    assert.match(markdown.name, /^journal-\d{4}-\d\d-\d\d\.md$/);
    assert.match(markdown.text, /^# \d{4}-\d\d-\d\d, /);
    assert.match(markdown.text, /too much fennel/);
    assert.doesNotMatch(markdown.text, /almanac/);
    const lines = await saved('Save as JSON Lines');
    assert.match(lines.name, /\.jsonl$/);
    assert.deepEqual(lines.text.trim().split('\n').map((line) => JSON.parse(line).body.kind), ['text', 'text']);

    await dialog.getByRole('button', { name: 'Print' }).click();
    await page.locator('.was-printed').waitFor();
    await page.emulateMedia({ media: 'print' });
    await page.locator('.journal-paper', { hasText: 'too much fennel' }).waitFor();
    await soon(async () => assert.ok(await page.getByRole('heading', { name: 'Journal of Mara' }).isVisible()));
    await soon(async () => assert.ok(!(await page.locator('.shell').isVisible()), 'the frame is not on paper'));
    if (process.env.WHARF_PICTURES) await page.screenshot({ path: `${process.env.WHARF_PICTURES}/journal-paper.png`, fullPage: true });
    await page.emulateMedia({ media: 'screen' });
    await page.evaluate(() => dispatchEvent(new Event('afterprint')));
    await soon(async () => assert.equal(await page.locator('.journal-paper').count(), 0));

    await page.keyboard.press('Control+P');
    await dialog.getByLabel('From').fill('1999-01-01');
    await dialog.getByLabel('To').fill('1999-01-02');
    await dialog.getByRole('button', { name: 'Print' }).click();
    await dialog.getByText('There are no such entries.').waitFor();
    quiet(page);
    await page.context().close();
});

test('a key writes from any box, until it is removed', async () => {
    const { page } = await author('dora');
    await page.getByRole('link', { name: 'Write from elsewhere' }).click();
    await page.getByText('There are no keys.').waitFor();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name', { exact: true }).fill('weather box');
    await noFindings(page, { within: 'dialog' });
    await page.getByRole('button', { name: 'Make' }).click();
    const told = page.getByRole('dialog', { name: 'weather box' });
    const command = await told.locator('code').first().innerText();
    const [, token, host, port] = /^echo '(\S+) TEXT' \| nc -u -w1 (\S+) (\d+)$/.exec(command) ?? [];
    assert.ok(token, command);
    await noFindings(page, { within: 'dialog' });
    await picture(page, 'journal-key', { widths: [1280, 360] });
    await page.keyboard.press('Escape');
    const list = page.getByRole('list', { name: 'Keys' });
    await list.getByText('not used yet').waitFor();
    await noFindings(page);
    await page.getByRole('link', { name: 'All entries' }).click();
    assert.match(await sendLine(`${token} Rain all day. #weather\n`, host, Number(port)), /^OK /);
    await entry(page, 'Rain all day.').getByText('UDP').waitFor();
    await page.getByRole('link', { name: 'Write from elsewhere' }).click();
    await list.getByText('1 entry').waitFor();
    await picture(page, 'journal-elsewhere', { widths: [1280, 360] });
    await page.getByRole('button', { name: 'Remove: weather box' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('There are no keys.').waitFor();
    await until(async () => /^ERR (auth|closed)/.test(await sendLine(`${token} Once more.\n`, host, Number(port))), 'the key writes nothing more');
    quiet(page);
    await page.context().close();
});

/** Sends a datagram and waits for the answer; again, as a box would, where none comes. @param {string} line @param {string} host @param {number} port @returns {Promise<string>} */
async function sendLine(line, host, port) {
    const socket = dgram.createSocket('udp4');
    /** @type {string | undefined} */
    let answer;
    socket.on('message', (bytes) => {
        answer = String(bytes);
    });
    let sentAt = 0;
    try {
        return await until(() => {
            if (!answer && Date.now() - sentAt > 2000) {
                sentAt = Date.now();
                socket.send(line, port, host);
            }
            return answer ?? '';
        }, 'there is an answer over UDP');
    } finally {
        socket.close();
    }
}

test('where the server takes nothing over UDP, it says so', async () => {
    const page = await member(browser, mara, { options: { timezoneId } });
    await open(page, '/journal/elsewhere');
    await page.getByText('This server takes no entries over UDP.').waitFor();
    await soon(async () => assert.equal(await page.getByRole('button', { name: 'New key' }).count(), 0));
    await page.getByRole('list', { name: 'Keys' }).getByText('Petrel').waitFor();
    quiet(page);
    await page.context().close();
});

test('on a phone, and in three languages', async () => {
    const page = await member(browser, mara, { width: 320, height: 640, options: { timezoneId } });
    await page.getByRole('link', { name: 'Journal' }).click();
    await page.getByRole('region', { name: 'Calendar' }).waitFor();
    await fitsSideways(page);
    await noFindings(page);
    await picture(page, 'journal-side', { widths: [360] });
    await page.getByRole('link', { name: 'All entries' }).click();
    await entry(page, 'First frost').waitFor();
    await fitsSideways(page);
    await noFindings(page);
    await page.getByRole('button', { name: 'Back' }).click();
    for (const [language, title] of [['zh', '全部日记'], ['pt', 'Todas as entradas']]) {
        await page.evaluate((name) => localStorage.setItem('wharf-language', name), language);
        for (const path of ['/journal', '/journal/entries', '/journal/elsewhere']) {
            await open(page, path);
            await page.locator(path === '/journal' ? '.journal-calendar' : path === '/journal/entries' ? '.journal-entry' : '.section-rows').first().waitFor();
            await fitsSideways(page);
            await noFindings(page);
        }
        await open(page, '/journal/entries');
        await page.getByRole('heading', { name: title }).waitFor();
    }
    quiet(page);
    await page.context().close();
});
