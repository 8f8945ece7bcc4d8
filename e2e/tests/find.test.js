// Finding in conversations: the controls of the search, the panel's files and links.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { another, bubble, group, openRoom, pair } from '../lib/talk.js';

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

/** Waits until the search of the server has what was said last. @param {import('../lib/server.js').Person} person @param {string} text */
const isIndexed = (person, text) => until(async () => (await person.ask('GET', `/search?q=${encodeURIComponent(text)}`)).items.length > 0, `${text} is found`);

/** Today in the browsers' time zone, and days from it. @param {number} days */
const dayFromNow = (days) => new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Lisbon' }).format(Date.now() + days * 86_400_000);

test('a search is narrowed by person, room, kind and days, and a result opens where it was said', async () => {
    const { a, b, room } = await pair(server);
    const c = await server.person(`cleo${another()}`, { nickname: 'Cleo' });
    await server.befriend(a, c);
    const team = await group('Team', [a, b, c]);
    await b.say(room, 'harbour in the pair');
    await b.say(team, 'harbour from Ben');
    await c.say(team, 'harbour from Cleo https://example.org/harbour');
    for (let number = 1; number <= 150; number += 1) await c.say(team, `filler ${number}`);
    await isIndexed(a, '"filler 150"');
    const page = await member(browser, a);
    await page.getByLabel('Search', { exact: true }).fill('harbour');
    const hits = page.locator('.hits .found');
    await until(async () => (await hits.count()) === 3, 'all three are found');
    await page.getByRole('button', { name: 'Filters', exact: true }).click();
    const filters = page.getByRole('group', { name: 'Filters' });
    await filters.getByLabel('From').selectOption({ label: 'Ben' });
    await until(async () => (await hits.count()) === 2, 'those from Ben');
    await filters.getByLabel('Room').selectOption({ label: 'Team' });
    await until(async () => (await hits.allInnerTexts()).join().includes('harbour from Ben') && (await hits.count()) === 1, 'the one in the team');
    await soon(async () => assert.equal(await filters.getByLabel('From').evaluate((/** @type {HTMLSelectElement} */ select) => select.selectedOptions[0]?.label), 'Ben', 'who was chosen stays chosen'));
    await noFindings(page);
    await picture(page, 'search', { widths: [1280, 800, 360] });
    await filters.getByRole('button', { name: 'Clear the filters' }).click();
    await until(async () => (await hits.count()) === 3, 'all three again');
    await filters.getByLabel('Kind').selectOption({ label: 'With a link' });
    await until(async () => (await hits.count()) === 1, 'the one with a link');
    await filters.getByLabel('Since').fill(dayFromNow(0));
    await filters.getByLabel('Until').fill(dayFromNow(0));
    await until(async () => (await hits.count()) === 1, 'it is of today');
    await filters.getByLabel('Until').fill(dayFromNow(-1));
    await page.getByText('Nothing found.').waitFor();
    await filters.getByLabel('Until').fill('');
    await until(async () => (await hits.count()) === 1, 'it is there again');

    await hits.first().click();
    await page.locator('.message.is-marked', { hasText: 'harbour from Cleo' }).waitFor();
    // The same one again, from the other end of the log.
    await page.locator('.log').press('End');
    await bubble(page, 'filler 150').waitFor();
    await hits.first().click();
    await page.locator('.message.is-marked', { hasText: 'harbour from Cleo' }).waitFor();
    await page.getByLabel('Search', { exact: true }).fill('');
    await page.getByRole('button', { name: 'Filters', exact: true }).click();
    await page.locator('.room-row', { hasText: 'Team' }).waitFor();
    quiet(page);
    await page.context().close();
});

test('the search of one conversation has the same controls', async () => {
    const { a, b, room } = await pair(server);
    await a.say(room, 'a lighthouse of mine');
    await b.say(room, 'a lighthouse of Ben');
    await isIndexed(a, '"lighthouse of Ben"');
    const page = await member(browser, a);
    await openRoom(page, room);
    await page.getByRole('button', { name: 'About the room' }).click();
    await page.getByRole('tab', { name: 'Search' }).click();
    await page.getByLabel('Search this conversation').fill('lighthouse');
    const found = page.locator('.panel .found');
    await until(async () => (await found.count()) === 2, 'both');
    await page.locator('.panel').getByLabel('From').selectOption({ label: 'You' });
    await until(async () => (await found.count()) === 1 && (await found.innerText()).includes('of mine'), 'the own one');
    await soon(async () => assert.ok((await page.locator('.panel mark').count()) > 0, 'what was looked for is marked'));
    await noFindings(page);
    await found.click();
    await page.locator('.message.is-marked', { hasText: 'of mine' }).waitFor();
    // A line that the server refuses says so.
    await page.getByLabel('Search this conversation').fill('has:wings');
    await page.getByText('has: takes file').waitFor();
    quiet(page);
    await page.context().close();
});

test('the panel lists files and links by who sent them and when', async () => {
    const { a, b, room } = await pair(server);
    for (const [person, name] of /** @type {const} */ ([[a, 'mine.txt'], [b, 'theirs.txt']])) {
        const node = await person.put(room, name, name);
        await person.say(room, { kind: 'file', node: node.id });
    }
    await b.say(room, 'see https://example.org/a and [this](https://example.com/b), not javascript:alert(1)');
    await a.say(room, '<https://example.net/c>');
    await isIndexed(a, '"example.net"');
    const page = await member(browser, a);
    await openRoom(page, room);
    await page.getByRole('button', { name: 'About the room' }).click();
    await page.getByRole('tab', { name: 'Files' }).click();
    const panel = page.locator('.panel');
    await panel.getByText('2 files,').waitFor();
    await panel.getByLabel('Sender').selectOption({ label: 'Ben' });
    await panel.getByText('1 file,').waitFor();
    await panel.getByText('theirs.txt').waitFor();
    await panel.getByLabel('Since').fill(dayFromNow(0));
    await panel.getByLabel('Until').fill(dayFromNow(0));
    await panel.getByText('1 file,').waitFor();
    await noFindings(page);
    await picture(page, 'panel-files');
    await panel.getByLabel('Since').fill(dayFromNow(1));
    await panel.getByLabel('Until').fill('');
    await panel.getByText('No files yet.').waitFor();
    await panel.getByLabel('Since').fill('');
    await panel.getByLabel('Until').fill(dayFromNow(-1));
    await panel.getByText('No files yet.').waitFor();

    await page.getByRole('tab', { name: 'Links' }).click();
    await until(async () => (await panel.locator('.panel-link').count()) === 3, 'three links');
    await soon(async () => assert.deepEqual(await panel.locator('.panel-link').evaluateAll((links) => links.map((link) => /** @type {HTMLAnchorElement} */ (link).href)), ['https://example.net/c', 'https://example.org/a', 'https://example.com/b']));
    await noFindings(page);
    await picture(page, 'panel-links', { widths: [1280, 800, 360] });
    await panel.getByLabel('From').selectOption({ label: 'You' });
    await until(async () => (await panel.locator('.panel-link').count()) === 1, 'the own one');
    await panel.locator('.panel-where').click();
    await page.setViewportSize({ width: 360, height: 800 });
    await fitsSideways(page);
    quiet(page);
    await page.context().close();
});
