// Rooms: their settings, roles and links, two side by side, a day to go to; and names that want to be more than names.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { another, bubble, field, group, openRoom, pair, said } from '../lib/talk.js';

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

/** Fills the field of a dialog. @param {Page} page @param {string} label @param {string} text */
const fill = (page, label, text) => page.getByRole('dialog').getByLabel(label, { exact: true }).fill(text);

test('a room is renamed, its roles are given, a link leads in, and it is archived', async () => {
    const { a, b } = await pair(server);
    const room = await group('Harbour', [a, b]);
    const [ada, ben] = await Promise.all([member(browser, a), member(browser, b)]);
    await Promise.all([openRoom(ada, room), openRoom(ben, room)]);
    await field(ben).waitFor();
    await ada.getByRole('button', { name: 'Room menu' }).click();
    await ada.getByRole('menuitem', { name: 'Room settings' }).click();
    await noFindings(ada);
    await fill(ada, 'Name', 'Lighthouse');
    await fill(ada, 'Topic', 'Lamps');
    await ada.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await ben.getByRole('heading', { name: 'Lighthouse' }).waitFor();
    await ben.getByText('Ada named the room Lighthouse').waitFor();

    await ada.getByRole('button', { name: 'About the room' }).click();
    await ada.locator('.panel').getByText('Lamps').waitFor();
    await ada.getByRole('button', { name: 'Role of Ben' }).click();
    await ada.getByRole('menuitemcheckbox', { name: 'reader' }).click();
    await ben.getByText('You can only read here.').waitFor();
    await ben.getByRole('button', { name: 'About the room' }).click();
    await ben.locator('.panel').getByText('Lamps').waitFor();
    await soon(async () => assert.equal(await ben.getByRole('button', { name: 'Invite people' }).count(), 0, 'a reader invites nobody'));
    await soon(async () => assert.equal(await ben.getByRole('button', { name: /^Role of/ }).count(), 0, 'and gives no roles'));

    await ada.getByRole('button', { name: 'Invite people' }).first().click();
    await ada.getByRole('button', { name: 'Make a link' }).click();
    const link = await ada.getByRole('textbox', { name: 'Link' }).inputValue();
    await noFindings(ada);
    await ada.keyboard.press('Escape');
    const c = await server.person(`cleo${another()}`, { nickname: 'Cleo' });
    const cleo = await member(browser, c);
    await cleo.goto(link);
    await cleo.getByRole('button', { name: 'Join' }).click();
    await cleo.getByRole('heading', { name: 'Lighthouse' }).waitFor();
    await ada.getByText('Cleo joined').waitFor();

    await ada.getByRole('button', { name: 'About the room' }).click();
    await ada.getByRole('button', { name: 'About the room' }).click();
    await ada.getByRole('button', { name: 'Remove the link' }).click();
    await until(async () => (await a.ask('GET', `/rooms/${room}/links`)).items.length === 0, 'the link has ended');
    await ada.getByRole('button', { name: 'Role of Cleo' }).click();
    await ada.getByRole('menuitem', { name: 'Remove' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await cleo.getByText('This conversation is not there, or you are not in it.').waitFor();
    await cleo.goto(link);
    await cleo.getByText('This link does not hold any more.').waitFor();

    await ada.getByRole('button', { name: 'Role of Ben' }).click();
    await ada.getByRole('menuitem', { name: 'Hand the room over' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Hand the room over' }).click();
    await ben.getByRole('button', { name: 'Role of Ada' }).waitFor();
    await ben.getByRole('button', { name: 'Room menu' }).click();
    await ben.getByRole('menuitem', { name: 'Room settings' }).click();
    await ben.getByRole('dialog').getByRole('checkbox', { name: /^Archived/ }).check();
    await ben.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await ada.getByText('This room is archived.').waitFor();
    quiet(ada, ben, cleo);
    await Promise.all([ada, ben, cleo].map((page) => page.context().close()));
});

test('two rooms are open side by side, each writes into its own, and one is closed', async () => {
    const { a, b, room } = await pair(server);
    const team = await group('Team', [a, b]);
    const page = await member(browser, a);
    await openRoom(page, room);
    await page.getByRole('link', { name: /^Team/ }).click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Open beside' }).click();
    const panes = page.locator('.conversation');
    await until(async () => (await panes.count()) === 2, 'both are open');
    await panes.nth(0).getByLabel('Write a message').fill('to Ben alone');
    await panes.nth(0).getByLabel('Write a message').press('Enter');
    await panes.nth(1).getByLabel('Write a message').fill('to the team');
    await panes.nth(1).getByLabel('Write a message').press('Enter');
    await panes.nth(0).locator('article', { hasText: 'to Ben alone' }).waitFor();
    await panes.nth(1).locator('article', { hasText: 'to the team' }).waitFor();
    await soon(async () => assert.equal(await panes.nth(0).getByText('to the team').count(), 0));
    await b.say(team, 'read by both of us');
    await panes.nth(1).locator('article', { hasText: 'read by both of us' }).waitFor();
    await soon(async () => assert.equal(await page.locator('.room-row[aria-current]').count(), 2, 'the list shows which are open'));
    await noFindings(page);
    await picture(page, 'beside', { widths: [1280] });
    await fitsSideways(page);
    await page.reload();
    await until(async () => (await panes.count()) === 2, 'both are open after a reload');
    await panes.nth(0).getByRole('button', { name: 'Close' }).click();
    await until(async () => (await panes.count()) === 1, 'one is left');
    await page.getByRole('heading', { name: 'Team' }).waitFor();
    quiet(page);
    await page.context().close();
});

test('a day is gone to', async () => {
    const { a, b, room } = await pair(server);
    for (let number = 1; number <= 120; number += 1) await b.say(room, `line ${number}`);
    const log = await a.ask('GET', `/rooms/${room}/log?limit=1&before=1000`);
    await a.ask('PUT', `/rooms/${room}/read`, { position: log.head });
    const page = await member(browser, a);
    await openRoom(page, room);
    await bubble(page, 'line 120').waitFor();
    await soon(async () => assert.equal(await page.getByText('line 1', { exact: true }).count(), 0));
    const goTo = async (/** @type {number} */ days) => {
        await page.getByRole('button', { name: 'Room menu' }).click();
        await page.getByRole('menuitem', { name: 'Go to a day' }).click();
        await page.getByRole('dialog').getByLabel('Day').fill(new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Lisbon' }).format(Date.now() + days * 86_400_000));
        if (days === 0) await noFindings(page);
        await page.getByRole('dialog').getByRole('button', { name: 'Go' }).click();
    };
    await goTo(0);
    await page.getByText('line 1', { exact: true }).waitFor();
    await goTo(2);
    await bubble(page, 'line 120').waitFor();
    await goTo(-400);
    await page.getByText('line 1', { exact: true }).waitFor();
    quiet(page);
    await page.context().close();
});

test('keys lead to the search of the conversation, to the first unread message and to the end', async () => {
    const { a, b, room } = await pair(server);
    for (let number = 1; number <= 80; number += 1) await b.say(room, `line ${number}`);
    const page = await member(browser, a);
    await openRoom(page, room);
    await page.getByText('New messages').waitFor();
    await field(page).focus();
    await page.keyboard.press('Escape');
    await bubble(page, 'line 80').waitFor();
    await until(async () => (await page.getByText('New messages').count()) === 0, 'it is out of sight');
    await page.keyboard.press('Shift+PageUp');
    await page.getByText('New messages').waitFor();
    await page.keyboard.press('Control+f');
    await page.getByLabel('Search this conversation').waitFor();
    await until(() => page.evaluate(() => document.activeElement?.closest('.panel') !== null), 'one can write there');
    quiet(page);
    await page.context().close();
});

test('Chinese names are found by their reading, and nothing is loaded for it before', async () => {
    const { a } = await pair(server);
    const number = another();
    const zhang = await server.person(`worker${number}`, { nickname: '张三' });
    await server.befriend(a, zhang);
    const team = await group('北京分部', [a, zhang]);
    const page = await member(browser, a);
    /** @type {string[]} */
    const asked = [];
    page.on('request', (request) => { if (request.url().includes('pinyin')) asked.push(request.url()); });
    await openRoom(page, team);
    await field(page).waitFor();
    const box = page.getByLabel('Search', { exact: true });
    const rows = page.locator('.room-row');
    assert.equal(asked.filter((url) => url.includes('/vendor/')).length, 0, 'the table is loaded when it is needed');
    await box.fill('bjfb');
    await until(async () => (await rows.count()) === 1 && (await rows.innerText()).includes('北京分部'), 'the room is found by initials');
    await box.fill('zhangs');
    await until(async () => (await rows.count()) === 1 && (await rows.innerText()).includes('张三'), 'the person is found by reading');
    await box.fill('');
    await field(page).fill('@zs');
    await page.getByRole('option', { name: /张三/ }).waitFor();
    await field(page).fill('');
    await page.getByRole('link', { name: 'Contacts' }).click();
    await page.getByLabel('Search', { exact: true }).fill('zs');
    await page.getByRole('treeitem', { name: /^张三/ }).waitFor();
    await until(async () => (await page.getByRole('treeitem').count()) === 2, 'and nobody else');
    quiet(page);
    await page.context().close();
});

const HOSTILE = '<img src=x onerror=document.title=1>\u202Egpj.exe';

test('names that want to be more stay names, wherever they are shown', async () => {
    const { a, b, room } = await pair(server);
    await b.ask('PATCH', '/account', { nickname: `${HOSTILE} b`, status_text: `${HOSTILE} s` });
    const held = await a.ask('POST', '/contact-groups', { name: `${HOSTILE} g`.slice(0, 60) });
    await a.ask('PATCH', `/contacts/${b.id}`, { group: held.id });
    const team = await group(`${HOSTILE} r`, [a, b]);
    await a.ask('PATCH', `/rooms/${team}`, { topic: `${HOSTILE} t` });
    await a.ask('PATCH', `/rooms/${team}`, { name: `${HOSTILE} n` });
    for (const where of [room, team]) {
        const node = await b.put(where, `${HOSTILE}.txt`.replace('/', ''), 'x');
        await b.say(where, { kind: 'file', node: node.id, text: HOSTILE });
        const { position } = await b.say(where, `${HOSTILE}\n\n> ${HOSTILE}\n\n\`${HOSTILE}\``);
        await b.say(where, { kind: 'pin', target: position, is_set: true });
        await until(async () => (await a.ask('GET', `/search?q=gpj&room=${where}`)).items.length > 0, 'it is in the index');
    }
    const page = await member(browser, a);
    // A name is on its own as regards the direction of writing: what stands beside it stays as it is.
    const isolated = () => page.evaluate(() => {
        const found = [];
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
            const text = /** @type {Text} */ (walk.currentNode);
            if (!text.data.includes('\u202E')) continue;
            let holder = text.parentElement;
            let isAlone = false;
            while (holder && !isAlone) {
                const { unicodeBidi, display } = getComputedStyle(holder);
                isAlone = /isolate|plaintext/.test(unicodeBidi) || holder.tagName === 'OPTION' || (display !== 'inline' && holder.textContent === text.data);
                if (display !== 'inline') break;
                holder = holder.parentElement;
            }
            if (!isAlone) found.push(text.parentElement?.outerHTML.slice(0, 300));
        }
        return found;
    });
    const isWell = async (/** @type {string} */ where) => {
        await soon(async () => assert.deepEqual(await isolated(), [], where));
        await soon(async () => assert.match(await page.title(), /Wharf/, where));
        await soon(async () => assert.equal(await page.locator('img[src=x], script:not([src])').count(), 0, where));
        await fitsSideways(page);
    };
    for (const where of [room, team]) {
        await openRoom(page, where);
        await page.getByRole('link', { name: /^Download/ }).first().waitFor();
        await isWell('the conversation');
        await page.getByRole('button', { name: 'About the room' }).click();
        // Each is looked at when it shows what it has.
        for (const [tab, content] of [['About', '.panel-row'], ['Files', '.file-card'], ['Links', '.panel-empty'], ['Pinned', '.found'], ['Search', '.found']]) {
            await page.getByRole('tab', { name: tab }).click();
            if (tab === 'Search') await page.getByLabel('Search this conversation').fill('gpj');
            await page.locator('.panel-body').locator(content).first().waitFor();
            await isWell(tab);
        }
    }
    await page.getByRole('link', { name: 'Contacts' }).click();
    await page.getByRole('treeitem', { name: / b/ }).click();
    await page.getByRole('button', { name: 'Message' }).waitFor();
    await isWell('contacts');
    await page.setViewportSize({ width: 320, height: 640 });
    await openRoom(page, team);
    await page.getByRole('link', { name: /^Download/ }).first().waitFor();
    await isWell('on a phone');
    await soon(async () => assert.ok((await said(page)).length > 0));
    quiet(page);
    await page.context().close();
});
