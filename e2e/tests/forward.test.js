// Messages are selected, passed on to other rooms, copied and taken back together.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { another, bubble, group, openRoom, pair, said } from '../lib/talk.js';

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

/** Opens the menu of a message with keys. @param {import('playwright-core').Page} page @param {string} text */
async function menuOf(page, text) {
    await bubble(page, text).first().focus();
    await page.keyboard.press('Enter');
}

test('a text and a file are passed on to two rooms, and the file is not sent again', async () => {
    const { a, b, room } = await pair(server);
    const c = await server.person(`cleo${another()}`, { nickname: 'Cleo' });
    await server.befriend(a, c);
    const team = await group('Team', [a, c]);
    // Ben's own bytes: Ada has only what his room lets her see.
    const put = await b.put(room, 'plan.txt', 'the plan\n'.repeat(1000));
    await b.say(room, 'What *is* the plan, @ada?\nsecond line');
    await b.say(room, { kind: 'file', node: put.id, text: 'here' });
    const page = await member(browser, a);
    await openRoom(page, room);
    /** @type {string[]} */
    const uploads = [];
    page.on('request', (request) => {
        if (/\/api\/v1\/chunks$|\/content\//.test(new URL(request.url()).pathname) && request.method() !== 'GET') uploads.push(request.url());
    });
    await menuOf(page, 'second line');
    await page.getByRole('menuitem', { name: 'Select' }).click();
    await page.getByText('1 selected').waitFor();
    await bubble(page, 'plan.txt').getByRole('checkbox').check();
    await page.getByText('2 selected').waitFor();
    await bubble(page, 'second line').getByRole('checkbox', { checked: true }).waitFor();
    await soon(async () => assert.equal(await page.locator('.chosen-bar').getByRole('button', { name: 'Take back' }).count(), 0, 'what others said cannot be taken back'));
    await noFindings(page);
    await picture(page, 'selected');
    await fitsSideways(page);
    await page.getByRole('button', { name: 'Forward' }).click();
    const dialog = page.getByRole('dialog', { name: 'Forward 2 messages' });
    await dialog.getByRole('checkbox', { name: 'Team' }).check();
    await dialog.getByRole('checkbox', { name: 'Cleo' }).check();
    await noFindings(page);
    await picture(page, 'forward');
    await dialog.getByRole('searchbox').fill('nobody is called that');
    await dialog.getByText('No room that you can write in').waitFor();
    await dialog.getByRole('button', { name: 'Forward' }).click();
    await page.getByText('Forwarded to 2 rooms.').waitFor();
    await soon(async () => assert.equal(await page.getByText('2 selected').count(), 0));

    const cleo = await member(browser, c);
    await openRoom(cleo, team);
    const text = bubble(cleo, 'second line');
    await text.locator('blockquote em', { hasText: 'is' }).waitFor();
    await text.locator('strong', { hasText: 'Ben' }).waitFor();
    await soon(async () => assert.equal(await text.locator('.mention').count(), 0, 'nobody is called by what is passed on'));
    const link = cleo.getByRole('link', { name: 'Download plan.txt' });
    const [download] = await Promise.all([cleo.waitForEvent('download'), link.click()]);
    const stream = await download.createReadStream();
    let bytes = 0;
    for await (const part of stream) bytes += part.length;
    assert.equal(bytes, 9000);
    assert.deepEqual(uploads, []);
    const log = await c.ask('GET', `/rooms/${team}/log`);
    assert.deepEqual(log.items.filter((/** @type {any} */ entry) => entry.account === a.id && ['text', 'file'].includes(entry.body.kind)).map((/** @type {any} */ entry) => [entry.body.kind, entry.body.mentions]), [['text', undefined], ['file', undefined]]);
    quiet(page, cleo);
    await Promise.all([page.context().close(), cleo.context().close()]);
});

test('one message is passed on as it is, also without a network', async () => {
    const { a, b, room } = await pair(server);
    await b.say(room, 'as *it* is');
    const page = await member(browser, a);
    await openRoom(page, room);
    await bubble(page, 'as it is').waitFor();
    await page.context().setOffline(true);
    await page.locator('.banner', { hasText: 'Offline' }).waitFor();
    await menuOf(page, 'as it is');
    await page.getByRole('menuitem', { name: 'Forward' }).click();
    const dialog = page.getByRole('dialog', { name: 'Forward 1 message' });
    await dialog.getByRole('checkbox', { name: 'Say who wrote it' }).uncheck();
    await dialog.getByRole('checkbox', { name: 'Saved for myself' }).check();
    await dialog.getByRole('button', { name: 'Forward' }).click();
    await page.getByText('Offline. 1 message waits.').waitFor();
    await page.context().setOffline(false);
    const own = a.account.home;
    await until(async () => {
        const log = await a.ask('GET', `/rooms/${own}/log`);
        return log.items.some((/** @type {any} */ entry) => entry.body?.text === 'as *it* is');
    }, 'it is in the own room');
    quiet(page);
    await page.context().close();
});

test('several become one message, with their files behind it', async () => {
    const { a, b, room } = await pair(server);
    const team = await group('Team', [a]);
    const put = await b.put(room, 'a *b* plan.txt', 'the plan');
    await b.say(room, 'Where is it?\n\n- here\n- there');
    await b.say(room, { kind: 'file', node: put.id, text: 'in this' });
    await a.say(room, 'Thank you');
    const page = await member(browser, a);
    await openRoom(page, room);
    await menuOf(page, 'Where is it');
    await page.getByRole('menuitem', { name: 'Select' }).click();
    await bubble(page, 'in this').getByRole('checkbox').check();
    await bubble(page, 'Thank you').getByRole('checkbox').check();
    await page.getByText('3 selected').waitFor();
    await page.getByRole('button', { name: 'Forward' }).click();
    const dialog = page.getByRole('dialog', { name: 'Forward 3 messages' });
    await dialog.getByRole('checkbox', { name: 'Team' }).check();
    await dialog.getByRole('checkbox', { name: 'As one message' }).check();
    await noFindings(page);
    await dialog.getByRole('button', { name: 'Forward' }).click();
    await page.getByText('Forwarded to 1 room.').waitFor();
    await openRoom(page, team);
    const one = bubble(page, 'Where is it');
    await soon(async () => assert.deepEqual(await one.locator('p > strong').allInnerTexts(), [b.account.nickname, b.account.nickname, a.account.nickname]));
    await soon(async () => assert.deepEqual(await one.locator('blockquote li').allInnerTexts(), ['here', 'there']));
    await one.locator('blockquote em', { hasText: 'a *b* plan.txt' }).waitFor();
    await one.locator('blockquote', { hasText: 'Thank you' }).waitFor();
    await page.getByRole('link', { name: 'Download a *b* plan.txt' }).waitFor();
    await picture(page, 'forwarded-as-one', { widths: [1280, 360] });
    const { items } = await a.ask('GET', `/rooms/${team}/log`);
    assert.deepEqual(items.map((/** @type {any} */ entry) => entry.body.kind).filter((/** @type {string} */ kind) => ['text', 'file'].includes(kind)), ['text', 'file']);
    quiet(page);
    await page.context().close();
});

test('a range is selected with keys, copied with who said what, and the own ones are taken back', async () => {
    const { a, b, room } = await pair(server);
    for (const text of ['one', 'two', 'three']) await a.say(room, text);
    await b.say(room, 'theirs');
    const page = await member(browser, a);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
    await openRoom(page, room);
    // A machine that draws slowly: what waits for a frame must not take the focus from where somebody has gone meanwhile.
    await page.evaluate(() => {
        /** @type {FrameRequestCallback[]} */
        const waiting = [];
        globalThis.requestAnimationFrame = (draw) => waiting.push(draw);
        Object.assign(globalThis, { draw: () => { for (const draw of waiting.splice(0)) draw(performance.now()); } });
    });
    const draw = () => page.evaluate('draw()');
    await bubble(page, 'theirs').first().focus();
    await page.keyboard.press(' ');
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Shift+ ');
    await page.getByText('3 selected').waitFor();
    await page.getByRole('button', { name: 'Copy text' }).click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^You, \d\d:\d\d\ntwo\n\nYou, \d\d:\d\d\nthree\n\nBen, \d\d:\d\d\ntheirs$/);

    await bubble(page, 'two').focus();
    await draw();
    await page.keyboard.press(' ');
    await page.keyboard.press('ArrowDown');
    await draw();
    await page.keyboard.press(' ');
    await page.getByText('2 selected').waitFor();
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
    await until(async () => (await page.locator('.recalled').count()) === 2, 'two are taken back');
    await soon(async () => assert.deepEqual(await said(page), ['one', 'theirs']));
    await page.locator('.chosen-bar').waitFor({ state: 'detached' });
    await bubble(page, 'one').focus();
    await page.keyboard.press(' ');
    await page.getByText('1 selected').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('1 selected').waitFor({ state: 'detached' });
    await until(() => page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA'), 'one writes on');
    quiet(page);
    await page.context().close();
});
