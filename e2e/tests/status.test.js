// How a person is there: by choice, and away after a while; and contacts between their groups.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, listen, member, noFindings, picture, quiet, soon } from '../lib/browser.js';
import { Server } from '../lib/server.js';
import { pair } from '../lib/talk.js';

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

/** @param {Page} page @param {string} name */
async function choose(page, name) {
    await page.getByRole('button', { name: /^Account: / }).click();
    await page.getByRole('menuitem', { name: /^Status: / }).click();
    await page.getByRole('menuitemcheckbox', { name, exact: true }).click();
}

/** Waits until somebody's contact shows so. @param {Page} page @param {RegExp} name */
const shows = (page, name) => page.getByRole('treeitem', { name }).waitFor();

test('a status is chosen, others see it, and it stays over a reload and in other tabs', async () => {
    const { a, b } = await pair(server);
    const [ada, ben] = await Promise.all([member(browser, a), member(browser, b)]);
    await ben.getByRole('link', { name: /Contacts/ }).click();
    await shows(ben, /^Ada.*Online/s);
    await ada.getByRole('button', { name: /^Account: Ada, Online/ }).waitFor();
    await choose(ada, 'Busy');
    await shows(ben, /^Ada.*Busy/s);
    await ada.getByRole('button', { name: /^Account: Ada, Busy/ }).waitFor();
    const second = await ada.context().newPage();
    listen(second);
    await second.goto(server.url);
    await second.getByRole('button', { name: /^Account: Ada, Busy/ }).waitFor();
    await choose(second, 'Invisible');
    await shows(ben, /^Ada.*Offline/s);
    await ada.getByRole('button', { name: /^Account: Ada, Invisible/ }).waitFor();
    await Promise.all([ada.reload(), second.reload()]);
    await ada.getByRole('button', { name: /^Account: Ada, Invisible/ }).waitFor();
    await ada.getByRole('button', { name: /^Account: / }).click();
    await noFindings(ada);
    await picture(ada, 'status');
    await ada.keyboard.press('Escape');
    await choose(ada, 'Online');
    await shows(ben, /^Ada.*Online/s);
    quiet(ada, second, ben);
    await Promise.all([ada.context().close(), ben.context().close()]);
});

test('who touches nothing for ten minutes is away, and there again with the first key', async () => {
    const { a, b } = await pair(server);
    const [ada, ben] = await Promise.all([member(browser, a), member(browser, b)]);
    await ada.clock.install();
    await ada.reload();
    await ada.getByRole('button', { name: /^Account: Ada, Online/ }).waitFor();
    await ben.getByRole('link', { name: /Contacts/ }).click();
    await shows(ben, /^Ada.*Online/s);
    await ada.clock.fastForward('10:30');
    await shows(ben, /^Ada.*Away/s);
    await ada.getByRole('button', { name: /^Account: Ada, Away/ }).waitFor();
    await ada.keyboard.press('Shift');
    await shows(ben, /^Ada.*Online/s);
    await choose(ada, 'Busy');
    await shows(ben, /^Ada.*Busy/s);
    await ada.clock.fastForward('10:30');
    await ada.getByRole('button', { name: /^Account: Ada, Busy/ }).waitFor();
    quiet(ada, ben);
    await Promise.all([ada.context().close(), ben.context().close()]);
});

test('a contact is dragged into a group, and out of it', async () => {
    const { a, b } = await pair(server);
    const group = await a.ask('POST', '/contact-groups', { name: 'Family' });
    const ada = await member(browser, a);
    await ada.getByRole('link', { name: 'Contacts' }).click();
    const ben = ada.getByRole('treeitem', { name: /^Ben/ });
    await ada.getByRole('treeitem', { name: 'Family 0/0' }).waitFor();
    await ben.dragTo(ada.getByRole('treeitem', { name: /^Family/ }));
    await ada.getByRole('treeitem', { name: 'Family 0/1' }).waitFor();
    const held = async () => (await a.ask('GET', '/contacts')).items.find((/** @type {any} */ contact) => contact.person.id === b.id).group;
    assert.equal(await held(), group.id);
    await noFindings(ada);
    // The heading of those in no group is there while one is dragged.
    await soon(async () => assert.equal(await ada.getByRole('treeitem', { name: /^Contacts/ }).count(), 0));
    await ben.hover();
    await ada.mouse.down();
    await ada.mouse.move(200, 300, { steps: 4 });
    const none = ada.getByRole('treeitem', { name: 'Contacts 0/0' });
    await none.hover();
    await picture(ada, 'drag', { widths: [1280] });
    await none.hover();
    await ada.mouse.up();
    await ada.getByRole('treeitem', { name: 'Contacts 0/1' }).waitFor();
    await ada.getByRole('treeitem', { name: 'Family 0/0' }).waitFor();
    assert.equal(await held(), undefined);
    quiet(ada);
    await ada.context().close();
});
