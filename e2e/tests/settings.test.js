// The settings: account, devices, passwords for gateways, and how the page looks.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, member, noFindings, picture, quiet, soon, until } from '../lib/browser.js';
import { PASSWORD, Server } from '../lib/server.js';

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

/** @param {Page} page @param {string} name */
const section = async (page, name) => {
    await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name }).click();
    await page.getByRole('heading', { name, level: 2 }).waitFor();
};

test('what others see of the account is changed, and stays changed', async () => {
    const ada = await server.person('ada', { nickname: 'Ada' });
    const page = await member(browser, ada);
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Settings' }).click();
    await page.getByText(String(ada.account.number)).waitFor();
    await soon(() => assert.equal(new URL(page.url()).pathname, '/settings/account'));
    await noFindings(page);
    await picture(page, 'settings-account', { widths: [1280, 360] });
    await page.getByLabel('Name shown to others').fill('Ada of the harbour');
    await page.getByLabel('Status').fill('At sea');
    await page.getByLabel('Status').press('Enter');
    await page.getByRole('button', { name: 'Account: Ada of the harbour' }).waitFor();
    const account = await ada.ask('GET', '/account');
    assert.deepEqual([account.nickname, account.status_text], ['Ada of the harbour', 'At sea']);
    await page.reload();
    await until(async () => (await page.getByLabel('Status').inputValue()) === 'At sea', 'the status is shown');
    quiet(page);
    await page.context().close();
});

test('the password is changed, and with it ends what was logged in elsewhere', async () => {
    const ben = await server.person('ben');
    const page = await member(browser, ben);
    await page.goto(`${server.url}/settings/account`);
    await page.getByLabel('Present password').fill('not the password');
    await page.getByLabel('New password').fill('another battery staple');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('alert').getByText('The present password is another.').waitFor();
    await ben.ask('GET', '/account');
    await page.getByLabel('Present password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('The password is changed.').waitFor();
    await assert.rejects(ben.ask('GET', '/account'), /401/);
    await server.ask('POST', '/login', { login: 'ben', password: 'another battery staple' });
    await page.reload();
    await page.getByLabel('Present password').waitFor();
    quiet(page);
    await page.context().close();
});

test('devices are named and ended, one or all others', async () => {
    const cleo = await server.person('cleo');
    for (const device of ['phone', 'tablet', 'laptop']) await server.ask('POST', '/login', { login: 'cleo', password: PASSWORD, device });
    const page = await member(browser, cleo);
    await page.goto(`${server.url}/settings`);
    await section(page, 'Devices');
    const rows = page.getByRole('list', { name: 'Devices' }).getByRole('listitem');
    await until(async () => (await rows.count()) === 5, 'five devices');
    await rows.first().getByText('This device').waitFor();
    await noFindings(page);
    await picture(page, 'settings-devices', { widths: [1280, 360] });

    await page.getByRole('button', { name: 'Rename: phone' }).click();
    await page.getByLabel('Name of the device').fill('old phone');
    await noFindings(page, { within: 'dialog' });
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Log out: old phone' }).click();
    await page.getByRole('dialog', { name: 'Log out old phone?' }).getByRole('button', { name: 'Log out' }).click();
    await until(async () => (await rows.count()) === 4, 'one is gone');
    assert.deepEqual((await cleo.ask('GET', '/sessions')).map((/** @type {any} */ session) => session.device).includes('old phone'), false);

    await page.getByRole('button', { name: 'Log out everywhere else' }).click();
    await page.getByText('3 devices are logged out.').waitFor();
    await page.keyboard.press('Enter');
    await until(async () => (await rows.count()) === 1, 'this one is left');
    await soon(async () => assert.equal(await page.getByRole('button', { name: 'Log out everywhere else' }).count(), 0));
    await assert.rejects(cleo.ask('GET', '/account'), /401/);
    quiet(page);
    await page.context().close();
});

test('a password for a gateway is shown once, replaced and removed', async () => {
    const dora = await server.person('dora');
    const page = await member(browser, dora);
    await page.goto(`${server.url}/settings/gateways`);
    await page.getByRole('button', { name: 'netdisk: Make a password' }).click();
    const told = page.getByRole('dialog', { name: 'netdisk' });
    const first = await told.locator('output').textContent();
    assert.ok(first && first.length > 8);
    await noFindings(page, { within: 'dialog' });
    await told.getByRole('button', { name: 'Close' }).last().click();
    await page.getByText('not used yet').waitFor();
    assert.deepEqual((await dora.ask('GET', '/account/app-passwords')).map((/** @type {any} */ one) => one.door), ['netdisk']);
    await noFindings(page);
    await picture(page, 'settings-gateways', { widths: [1280, 360] });

    await page.getByRole('button', { name: 'netdisk: New password' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'New password' }).click();
    await told.waitFor();
    await soon(async () => assert.notEqual(await told.locator('output').textContent(), first));
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'netdisk: Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('button', { name: 'netdisk: Make a password' }).waitFor();
    assert.deepEqual(await dora.ask('GET', '/account/app-passwords'), []);
    quiet(page);
    await page.context().close();
});

test('how much of the quota is used, in which drives, and how it is kept', async () => {
    const [fay, gus] = await Promise.all([server.person('fay'), server.person('gus', { nickname: 'Gus' })]);
    const shared = await server.befriend(fay, gus);
    await fay.put(fay.account.home, 'harbour.txt', 'x'.repeat(3 * 1024));
    const { id: club } = await fay.ask('POST', '/rooms', { name: 'Club', invite: [gus.id] });
    await fay.put(club, 'minutes.txt', 'y'.repeat(5 * 1024));
    const page = await member(browser, fay, { width: 360, height: 640 });
    await page.goto(`${server.url}/settings/storage`);
    const rows = page.getByRole('list', { name: 'Drives that count on your quota' }).getByRole('listitem');
    await page.getByText(/^8 KiB of .* used/).waitFor();
    const owned = [club, fay.account.home, ...((await fay.ask('GET', `/rooms/${shared}`)).owner === fay.id ? [shared] : [])];
    await until(async () => (await rows.count()) === owned.length, 'the drives that fay owns');
    await soon(async () => assert.match(await rows.nth(0).innerText(), /Club\s+5 KiB/));
    await soon(async () => assert.match(await rows.nth(1).innerText(), /My files\s+3 KiB/));
    await page.getByText('in one copy').waitFor();
    await fitsSideways(page);
    await noFindings(page);
    await picture(page, 'settings-storage', { widths: [1280, 360] });
    await rows.nth(0).getByRole('link').click();
    await page.getByText('minutes.txt').first().waitFor();
    quiet(page);
    await page.context().close();
});

test('theme and language are chosen with the keyboard, on a phone', async () => {
    const emil = await server.person('emil');
    const page = await member(browser, emil, { width: 320, height: 640 });
    await page.goto(`${server.url}/settings`);
    await section(page, 'Appearance');
    await page.getByRole('radio', { name: 'As the system' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await soon(async () => assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark'));
    await page.getByRole('radio', { name: 'Light' }).check();
    await page.getByRole('radio', { name: 'As the system' }).check();
    await picture(page, 'settings-appearance', { widths: [1280, 360] });
    await page.getByRole('radio', { name: 'English' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: '外观' }).waitFor();
    await fitsSideways(page);
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: 'Aspeto' }).waitFor();
    for (const name of ['account', 'devices', 'notifications', 'gateways', 'appearance', 'keyboard']) {
        await page.goto(`${server.url}/settings/${name}`);
        await page.locator('.section-column > *').first().waitFor();
        await fitsSideways(page);
        await noFindings(page);
    }
    await page.getByRole('button', { name: 'Voltar' }).click();
    await page.getByRole('navigation', { name: 'Secções' }).waitFor();
    await fitsSideways(page);
    await noFindings(page);
    quiet(page);
    await page.context().close();
});
