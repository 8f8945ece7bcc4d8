// The administration: people, invitations and the server, as an operator sees them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, member, noFindings, picture, quiet, soon, until, visitor } from '../lib/browser.js';
import { PASSWORD, Server } from '../lib/server.js';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Server} */
let server;
/** @type {import('../lib/server.js').Person} */
let operator;
before(async () => {
    browser = await launch();
    server = await Server.withOperator({ signup: 'invitation' });
    operator = /** @type {import('../lib/server.js').Person} */ (server.operator);
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** Somebody that the operator has added. @param {string} username */
async function added(username) {
    const { account } = await operator.ask('POST', '/admin/accounts', { username, password: PASSWORD });
    return account;
}

/** @param {string} username */
const account = (username) => operator.ask('GET', `/admin/accounts/${username}`);

test('somebody is added, gets room, is locked and unlocked, and gets another password', async () => {
    const page = await member(browser, operator);
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Admin' }).click();
    await page.getByText('1 account', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Add somebody' }).click();
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Name shown to others').fill('Ada');
    await page.getByLabel('Quota in GiB').fill('1.5');
    await noFindings(page, { within: 'dialog' });
    await picture(page, 'administration-add', { widths: [1280, 360] });
    await page.keyboard.press('Enter');
    const told = page.getByRole('dialog', { name: 'The password of ada' });
    const password = await told.locator('output').textContent();
    await page.keyboard.press('Escape');
    const { account: ada } = await server.ask('POST', '/login', { login: 'ada', password });
    assert.deepEqual([ada.nickname, ada.quota_bytes, ada.role], ['Ada', 1.5 * 2 ** 30, 'member']);
    const row = page.getByRole('list', { name: 'People' }).getByRole('listitem').filter({ hasText: 'ada ·' });
    await row.getByText('0 B of 1.5 GiB used').waitFor();
    await noFindings(page);
    await picture(page, 'administration-people', { widths: [1280, 360] });

    const choose = async (/** @type {string} */ name) => {
        await page.getByRole('button', { name: 'More: ada' }).click();
        await page.getByRole('menuitem', { name }).click();
    };
    await choose('Quota');
    await page.getByLabel('Quota in GiB').fill('2');
    await page.keyboard.press('Enter');
    await row.getByText('0 B of 2 GiB used').waitFor();
    assert.equal((await account(ada.username)).quota_bytes, 2 * 2 ** 30);

    await choose('Lock');
    await page.getByRole('dialog', { name: 'Lock ada?' }).getByRole('button', { name: 'Lock' }).click();
    await row.getByText('Locked').waitFor();
    await assert.rejects(server.ask('POST', '/login', { login: 'ada', password }));
    await noFindings(page);
    await choose('Unlock');
    await row.getByText('Locked').waitFor({ state: 'detached' });
    await server.ask('POST', '/login', { login: 'ada', password });

    await choose('Reset the password');
    await page.getByRole('dialog').getByRole('button', { name: 'Reset the password' }).click();
    await told.waitFor();
    const next = await told.locator('output').textContent();
    await page.keyboard.press('Escape');
    await assert.rejects(server.ask('POST', '/login', { login: 'ada', password }), /401/);
    await server.ask('POST', '/login', { login: 'ada', password: next });
    quiet(page);
    await page.context().close();
});

test('people are found, and a name that is taken is refused in words', async () => {
    await added('bea');
    await added('carl');
    const page = await member(browser, operator);
    await page.goto(`${server.url}/administration/people`);
    const rows = page.getByRole('list', { name: 'People' }).getByRole('listitem');
    await rows.filter({ hasText: 'carl' }).waitFor();
    await page.getByLabel('Search people').fill('BEA');
    await until(async () => (await rows.count()) === 1, 'only bea is shown');
    await page.getByRole('button', { name: 'More: bea' }).waitFor();
    await page.getByRole('button', { name: 'Add somebody' }).click();
    await page.getByLabel('Username').fill('Bea');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('That name is taken.').waitFor();
    await page.keyboard.press('Escape');
    quiet(page);
    await page.context().close();
});

test('an invitation is made, leads to an account, and is ended', async () => {
    const page = await member(browser, operator);
    await page.goto(`${server.url}/administration/invitations`);
    await page.getByText('There are none.').waitFor();
    await page.getByRole('button', { name: 'New invitation' }).click();
    await page.getByLabel('For how many accounts').fill('2');
    await page.keyboard.press('Enter');
    const link = await page.getByRole('dialog', { name: 'The invitation' }).locator('output').textContent();
    assert.ok(link);
    await noFindings(page, { within: 'dialog' });
    await page.keyboard.press('Escape');
    await page.getByText('For 2 accounts').waitFor();
    await noFindings(page);
    await picture(page, 'administration-invitations', { widths: [1280, 360] });

    const other = await visitor(browser);
    await other.goto(link);
    await other.getByLabel('Username').fill('dan');
    await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await other.keyboard.press('Enter');
    await other.getByRole('button', { name: 'Account: dan' }).waitFor();
    await soon(async () => assert.equal(await other.getByRole('link', { name: 'Admin' }).count(), 0));
    await other.goto(`${server.url}/administration`);
    await other.getByText('There is no such page.').waitFor();

    await page.reload();
    await page.getByText('For 1 account', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^End: / }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
    await page.getByText('There are none.').waitFor();
    assert.deepEqual(await operator.ask('GET', '/invitations'), []);
    quiet(page, other);
    await page.context().close();
    await other.context().close();
});

test('what the server holds, where, and whether it has read it again', async () => {
    await operator.put(operator.account.home, 'a.txt', 'z'.repeat(64 * 1024));
    const page = await member(browser, operator);
    await page.goto(`${server.url}/administration/storage`);
    await page.getByText('This server holds everything, in one copy.').waitFor();
    const held = await operator.ask('GET', '/admin/storage');
    assert.ok(held.device.free_bytes > 0 && held.device.bytes >= held.device.free_bytes);
    await page.getByText(`${held.chunks_count} in ${held.segments_count} segment`).waitFor();
    await page.getByText('64 KiB', { exact: true }).waitFor();
    // The scrub begins a minute after the server.
    await page.getByText(/^The (first round has not begun yet|round since|last round)/).waitFor();
    await page.getByRole('progressbar', { name: 'The disk' }).waitFor();
    await noFindings(page);
    await picture(page, 'administration-storage', { widths: [1280, 360] });
    quiet(page);
    await page.context().close();
});

test('the server says what it is and does, also on a phone', async () => {
    const page = await member(browser, operator, { width: 320, height: 640 });
    await page.goto(`${server.url}/administration/server`);
    const { version } = await server.ask('GET', '/server');
    await page.getByText(version, { exact: true }).waitFor();
    await page.getByText('Who has an invitation').waitFor();
    const jobs = await operator.ask('GET', '/admin/jobs');
    assert.ok(jobs.length > 0);
    for (const job of jobs) await page.getByText(job.name, { exact: true }).waitFor();
    await picture(page, 'administration-server', { widths: [1280, 360] });
    for (const section of ['people', 'invitations', 'storage', 'server']) {
        await page.goto(`${server.url}/administration/${section}`);
        await page.locator('.administration-people, .section-column > :nth-child(2)').first().waitFor();
        await fitsSideways(page);
        await noFindings(page);
    }
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('navigation', { name: 'Sections' }).waitFor();
    await fitsSideways(page);
    quiet(page);
    await page.context().close();
});
