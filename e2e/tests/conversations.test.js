// Two people talking, each in a browser of their own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { another, bubble, field, openRoom, pair, said, write } from '../lib/talk.js';

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

test('a message is there at once, and read when the other looks', async () => {
    const { a, b, room } = await pair(server);
    const [ada, ben] = await Promise.all([member(browser, a), member(browser, b)]);
    await Promise.all([openRoom(ada, room), openRoom(ben, room)]);
    await field(ben).waitFor();
    await write(ada, 'Are you *there*?');
    await bubble(ben, 'Are you there?').waitFor();
    await soon(async () => assert.equal(await bubble(ben, 'Are you there?').locator('em').innerText(), 'there'));
    await bubble(ada, 'Are you there?').locator('.state.is-read').waitFor();
    await field(ben).pressSequentially('Yes');
    await ada.getByText('Ben is typing').first().waitFor();
    await field(ben).press('Shift+Enter');
    await field(ben).pressSequentially('two lines');
    await field(ben).press('Enter');
    await bubble(ada, 'two lines').waitFor();
    await soon(async () => assert.deepEqual(await said(ada), await said(ben)));
    await soon(async () => assert.match(await ada.locator('[data-announcer]').innerText(), /^Ben, .*two lines/s));
    await noFindings(ada);
    await fitsSideways(ada);
    await picture(ada, 'conversation');
    quiet(ada, ben);
    await Promise.all([ada.context().close(), ben.context().close()]);
});

test('reply, edit, react, pin and take back', async () => {
    const { a, b, room } = await pair(server);
    const [ada, ben] = await Promise.all([member(browser, a), member(browser, b)]);
    await Promise.all([openRoom(ada, room), openRoom(ben, room)]);
    await write(ada, 'The first');
    await bubble(ben, 'The first').hover();
    await bubble(ben, 'The first').getByRole('button', { name: 'Reply' }).click();
    await write(ben, 'An answer');
    await bubble(ada, 'An answer').locator('.quote', { hasText: 'The first' }).waitFor();

    await bubble(ben, 'The first').first().hover();
    await bubble(ben, 'The first').first().getByRole('button', { name: 'React' }).click();
    await ben.getByRole('menuitemcheckbox', { name: '🎉' }).click();
    await ada.getByRole('button', { name: /🎉.*Ben/ }).waitFor();

    await field(ada).press('ArrowUp');
    await ada.getByText('Editing').waitFor();
    await field(ada).fill('The first, mended');
    await field(ada).press('Enter');
    await bubble(ben, 'The first, mended').getByText('edited').first().waitFor();
    await bubble(ben, 'The first, mended').first().getByRole('button', { name: 'edited' }).click();
    await ben.getByRole('dialog').getByText('The first', { exact: true }).waitFor();
    await noFindings(ben);
    await ben.keyboard.press('Escape');

    await bubble(ada, 'An answer').click({ button: 'right', position: { x: 4, y: 4 } });
    await ada.getByRole('menuitem', { name: 'Pin' }).click();
    await ben.getByRole('button', { name: 'About the room' }).click();
    await ben.getByRole('tab', { name: 'Pinned' }).click();
    await ben.locator('.panel .found', { hasText: 'An answer' }).waitFor();
    await noFindings(ben);
    await picture(ben, 'panel');

    await bubble(ada, 'The first, mended').first().focus();
    await ada.keyboard.press('Enter');
    await ada.getByRole('menuitem', { name: 'Take back' }).click();
    await ada.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
    await ben.locator('.recalled').first().waitFor();
    await soon(async () => assert.ok(!(await said(ben)).some((text) => text.includes('mended'))));
    quiet(ada, ben);
    await Promise.all([ada.context().close(), ben.context().close()]);
});

test('offline and back: what was typed is sent once, in its order, and what was missed comes', async () => {
    const { a, b, room } = await pair(server);
    const ada = await member(browser, a);
    await openRoom(ada, room);
    await write(ada, 'before');
    await bubble(ada, 'before').locator('.state').waitFor();
    await until(async () => (await ada.locator('.is-waiting').count()) === 0, 'it is sent');
    await ada.context().setOffline(true);
    await ada.locator('.banner', { hasText: 'Offline' }).waitFor();
    for (const text of ['one', 'two', 'three']) await write(ada, text);
    await ada.getByText('Offline. 3 messages wait.').waitFor();
    await noFindings(ada);
    await picture(ada, 'offline', { widths: [1280, 360] });
    await b.say(room, 'said meanwhile');
    // The page is loaded again without a network: it starts from what it has kept.
    await ada.reload();
    await bubble(ada, 'three').waitFor();
    await field(ada).fill('a draft');
    await ada.context().setOffline(false);
    await bubble(ada, 'said meanwhile').waitFor();
    await until(async () => (await ada.locator('.is-waiting').count()) === 0, 'everything is sent');
    const log = await b.ask('GET', `/rooms/${room}/log`);
    const texts = log.items.map((/** @type {any} */ entry) => entry.body.text).filter(Boolean);
    assert.deepEqual(texts, ['before', 'said meanwhile', 'one', 'two', 'three']);
    await soon(async () => assert.deepEqual(await said(ada), texts));
    await ada.reload();
    await bubble(ada, 'three').waitFor();
    await soon(async () => assert.equal(await field(ada).inputValue(), 'a draft'));
    await soon(async () => assert.deepEqual(await said(ada), texts));
    quiet(ada);
    await ada.context().close();
});

test('hostile messages and names are text', async () => {
    const { a, b, room } = await pair(server);
    await a.ask('PATCH', '/account', { nickname: '<img src=x onerror=document.title=1>\u202Eevil' });
    const ben = await member(browser, b);
    const texts = [
        '<script>document.title = "1"</script>', '<img src=x onerror="document.title=1">', '[press](javascript:document.title=1)', '<javascript:alert(1)>',
        '\u202E\u2066reversed\u2069', '*'.repeat(20_000), `${'['.repeat(5000)}${'> '.repeat(5000)}`, 'x'.repeat(65_000), '`'.repeat(3000), 'https://example.com/?a=<b>"\'',
    ];
    for (const text of texts) await a.say(room, text);
    await openRoom(ben, room);
    await ben.getByText('New messages').waitFor();
    await ben.locator('.log').press('End');
    await bubble(ben, 'example.com').waitFor();
    for (let step = 0; step < 4; step += 1) {
        await ben.locator('.log').press('Home');
        await ben.waitForTimeout(200);
    }
    await soon(async () => assert.match(await ben.title(), /Wharf/));
    await soon(async () => assert.equal(await ben.locator('.log script, .log img, .log a[href^="javascript"]').count(), 0));
    await fitsSideways(ben);
    await ben.setViewportSize({ width: 320, height: 640 });
    await fitsSideways(ben);
    quiet(ben);
    await ben.context().close();
});

test('contacts: ask, accept, come and go, a group, a room of several', async () => {
    const count = another();
    const [a, b] = await Promise.all([server.person(`ada${count}`, { nickname: 'Ada' }), server.person(`ben${count}`, { nickname: 'Ben' })]);
    const [ada, ben] = await Promise.all([member(browser, a), member(browser, b)]);
    await ada.getByRole('link', { name: 'Contacts' }).click();
    await ada.getByRole('button', { name: 'Add a contact' }).click();
    await ada.getByLabel('Username, number or e-mail').fill(b.username);
    await ada.getByLabel(/A word with it/).fill('It is me');
    await noFindings(ada);
    await ada.getByRole('button', { name: 'Ask' }).click();
    await ben.getByRole('link', { name: /Contacts/ }).click();
    await ben.getByRole('treeitem', { name: /^Ada/ }).click();
    await ben.getByText('It is me').first().waitFor();
    await noFindings(ben);
    await picture(ben, 'contacts');
    await ben.getByRole('button', { name: 'Accept' }).click();
    await write(ben, 'Hello');
    await ada.getByRole('treeitem', { name: 'Contacts 1/1' }).waitFor();
    await ben.context().close();
    await ada.getByRole('treeitem', { name: 'Contacts 0/1' }).waitFor();

    await ada.getByRole('button', { name: 'New' }).click();
    await ada.getByRole('menuitem', { name: 'New group of contacts' }).click();
    await ada.getByLabel('Name of the group').fill('Family');
    await ada.getByRole('button', { name: 'Save' }).click();
    await ada.getByRole('treeitem', { name: 'Family 0/0' }).waitFor();
    await ada.getByRole('treeitem', { name: /^Ben/ }).focus();
    await ada.keyboard.press('ContextMenu');
    await ada.getByRole('menuitem', { name: 'Move to group' }).click();
    await ada.getByRole('menuitemcheckbox', { name: 'Family' }).click();
    await ada.getByRole('treeitem', { name: 'Family 0/1' }).waitFor();
    await noFindings(ada);

    await ada.getByRole('link', { name: /^Chats/ }).click();
    await ada.getByRole('button', { name: 'New', exact: true }).click();
    await ada.getByRole('menuitem', { name: 'New group' }).click();
    await ada.getByLabel('Name', { exact: true }).fill('Harbour');
    await ada.getByLabel(/Ben/).check();
    await ada.getByRole('button', { name: 'Create' }).click();
    await ada.getByRole('heading', { name: 'Harbour' }).waitFor();
    const again = await member(browser, b);
    await again.getByText('Ada invites you').waitFor();
    await noFindings(again);
    await again.getByRole('button', { name: 'Accept' }).click();
    await again.getByRole('heading', { name: 'Harbour' }).waitFor();
    await field(again).fill('Hi @ad');
    await again.getByRole('option', { name: /Ada/ }).waitFor();
    await noFindings(again);
    await field(again).press('Enter');
    await field(again).press('Enter');
    await ada.locator('.mention.is-me').waitFor();
    quiet(ada, again);
    await Promise.all([ada.context().close(), again.context().close()]);
});

test('the first unread one is shown first where much before it has no line of its own, and nothing unseen counts as read', async () => {
    const { a, b, room } = await pair(server);
    const said = [];
    for (let number = 1; number <= 25; number += 1) said.push(await b.say(room, `before ${number}${'\n\nmore'.repeat(number % 4)}`));
    await a.ask('PUT', `/rooms/${room}/read`, { position: said[24].position });
    for (const [at, { position }] of said.entries()) {
        for (const emoji of ['👍', '🎉'].slice(0, 1 + (at % 2))) await b.say(room, { kind: 'reaction', target: position, emoji, is_set: true });
    }
    await b.say(room, 'first of the new');
    for (let number = 1; number <= 60; number += 1) await b.say(room, `after ${number}`);
    await b.say(room, 'the very last');
    const ada = await member(browser, a);
    await ada.getByRole('link', { name: /Ben/ }).click();
    await ada.getByText('New messages').waitFor();
    await bubble(ada, 'first of the new').waitFor();
    await ada.waitForTimeout(500);
    await soon(async () => assert.ok(await isSeen(ada, bubble(ada, 'first of the new')), 'the first unread one is where one looks'));
    await soon(async () => assert.ok(!(await isSeen(ada, bubble(ada, 'the very last'))), 'and not the last one'));
    await soon(async () => assert.match(await ada.title(), /^\(\d+\)/, 'some are unread still'));
    quiet(ada);
    await ada.context().close();
});

/** Whether a row is within what the log shows. @param {import('playwright-core').Page} page @param {import('playwright-core').Locator} row */
async function isSeen(page, row) {
    const log = await page.locator('.log').boundingBox();
    const box = (await row.count()) > 0 ? await row.boundingBox() : null;
    return log !== null && box !== null && box.y + box.height > log.y && box.y < log.y + log.height;
}

test('the first unread one is shown first, a day can be gone to, and the search finds', async () => {
    const { a, b, room } = await pair(server);
    for (let number = 1; number <= 60; number += 1) await b.say(room, `line ${number}`);
    const ada = await member(browser, a);
    await ada.getByRole('link', { name: /Ben/ }).waitFor();
    await soon(async () => assert.match(await ada.title(), /^\(60\)/));
    await ada.getByRole('link', { name: /Ben/ }).click();
    await ada.getByText('New messages').waitFor();
    await soon(async () => assert.ok(await bubble(ada, 'line 1').first().isVisible()));
    await ada.getByRole('button', { name: /new$/ }).click();
    await bubble(ada, 'line 60').waitFor();
    await until(async () => !(await ada.title()).startsWith('('), 'nothing is unread');
    await picture(ada, 'long', { widths: [1280] });
    await ada.getByLabel('Search', { exact: true }).fill('"line 33"');
    await ada.locator('.hits .found', { hasText: 'line 33' }).click();
    await bubble(ada, 'line 33').waitFor();
    await noFindings(ada);
    quiet(ada);
    await ada.context().close();
});

test('messages that could not be had are asked for again when the connection is back', async () => {
    const { a, b, room } = await pair(server);
    await b.say(room, 'said before');
    const page = await member(browser, a);
    const log = `**/api/v1/rooms/${room}/log*`;
    await page.route(log, (route) => route.abort());
    const refused = page.waitForEvent('requestfailed', (request) => request.url().includes(`/rooms/${room}/log`));
    await openRoom(page, room);
    await refused;
    await page.locator('.message-blank').first().waitFor({ state: 'attached' });
    await page.context().setOffline(true);
    await page.locator('.banner', { hasText: 'Offline' }).waitFor();
    await page.unroute(log);
    await page.context().setOffline(false);
    await bubble(page, 'said before').waitFor();
    await until(async () => (await a.ask('GET', `/rooms/${room}`)).unread === 0, 'it is read');
    quiet(page);
    await page.context().close();
});
