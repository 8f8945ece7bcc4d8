// The first start, accounts, and the way out.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, logIn, member, noFindings, picture, quiet, soon, until, visitor } from '../lib/browser.js';
import { PASSWORD, Server } from '../lib/server.js';

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
    browser = await launch();
});
after(() => browser.close());

test('the printed code makes the first account, and an invitation the second', async () => {
    const server = await Server.start({ signup: 'invitation' });
    const page = await visitor(browser);
    try {
        await page.goto(`${server.url}/setup/${server.setupCode}`);
        await page.getByRole('heading', { name: 'Set up Wharf' }).waitFor();
        await soon(async () => assert.equal(await page.getByLabel('Code').inputValue(), server.setupCode));
        await noFindings(page);
        await fitsSideways(page);
        await picture(page, 'setup');
        await page.getByLabel('Username').fill('ada');
        await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
        await page.getByRole('button', { name: 'Create account' }).click();
        await page.getByRole('navigation', { name: 'Views' }).waitFor();
        await soon(() => assert.equal(new URL(page.url()).pathname, '/c'));

        const cookies = await page.context().cookies();
        assert.equal(cookies.length, 1);
        const [cookie] = cookies;
        assert.ok(cookie.httpOnly);
        assert.equal(cookie.sameSite, 'Strict');
        await soon(async () => assert.equal(await page.evaluate(() => document.cookie), ''));

        const invitation = await page.evaluate(async () => (await fetch('/api/v1/invitations', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).json());
        const other = await visitor(browser);
        await other.goto(`${server.url}/join/${invitation.code}`);
        await other.getByRole('heading', { name: 'Create your account' }).waitFor();
        await other.getByLabel('Username').fill('ben');
        await other.getByLabel('Name shown to others').fill('Ben');
        await other.getByLabel('Password', { exact: true }).fill(PASSWORD);
        await other.keyboard.press('Enter');
        await other.getByRole('button', { name: 'Account: Ben' }).waitFor();
        quiet(page, other);
    } finally {
        await server.stop();
    }
});

test('log in, a wrong password, log out, and the session revoked elsewhere', async () => {
    const server = await Server.withOperator();
    const ada = await server.person('ada', { nickname: 'Ada' });
    const page = await visitor(browser);
    try {
        await page.goto(`${server.url}/c`);
        await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
        await noFindings(page);
        await picture(page, 'login');
        await page.getByLabel('Username, number or e-mail').fill('ada');
        await page.getByLabel('Password', { exact: true }).fill('wrong password');
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.getByRole('alert').waitFor();
        await logIn(page, ada);
        await noFindings(page);
        await fitsSideways(page);

        await page.getByRole('button', { name: 'Account: Ada' }).click();
        await page.getByRole('menuitem', { name: 'Log out' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
        await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
        await soon(async () => assert.deepEqual(await page.context().cookies(), []));
        await until(() => page.evaluate(async () => (await indexedDB.databases()).length === 0), 'nothing is kept of the account');

        await logIn(page, ada);
        // Forgetting takes a while, and somebody does not wait for it.
        await page.evaluate(() => {
            const forget = indexedDB.deleteDatabase.bind(indexedDB);
            IDBFactory.prototype.deleteDatabase = (name) => {
                const asked = /** @type {any} */ ({});
                setTimeout(() => {
                    forget(name).onsuccess = () => {
                        asked.onsuccess();
                        /** @type {any} */ (window).isForgotten = true;
                    };
                }, 1500);
                return asked;
            };
        });
        await page.getByRole('button', { name: 'Account: Ada' }).click();
        await page.getByRole('menuitem', { name: 'Log out' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
        await page.getByLabel('Username, number or e-mail').fill('ada');
        await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.getByRole('button', { name: 'Account: Ada' }).waitFor();
        await until(() => page.evaluate(() => /** @type {any} */ (window).isForgotten), 'the login before is forgotten');
        await page.getByRole('button', { name: 'Account: Ada' }).click();
        await page.keyboard.press('Escape');
        const sessions = await ada.ask('GET', '/sessions');
        const revoked = sessions.find((/** @type {any} */ session) => !session.current);
        await ada.ask('DELETE', `/sessions/${revoked.id}`);
        await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
        quiet(page);
    } finally {
        await server.stop();
    }
});

test('the keyboard alone: the skip link, the areas, the menu, the help', async () => {
    const server = await Server.withOperator();
    const ada = await server.person('ada', { nickname: 'Ada' });
    const page = await visitor(browser);
    try {
        await logIn(page, ada);
        for (const area of ['nav', '.shell-list', 'main']) await page.locator(area).first().waitFor();
        await page.keyboard.press('F6');
        await page.keyboard.press('F6');
        const areas = [];
        for (let step = 0; step < 3; step += 1) {
            areas.push(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')));
            await page.keyboard.press('F6');
        }
        assert.equal(new Set(areas).size, 3);
        await page.keyboard.press('Control+/');
        await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
        await noFindings(page);
        await picture(page, 'help');
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Account: Ada' }).focus();
        await page.keyboard.press('Enter');
        await page.getByRole('menuitem', { name: /^Theme/ }).waitFor();
        await noFindings(page);
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('Enter');
        await page.getByRole('menuitemcheckbox', { name: 'Dark' }).waitFor();
        await page.keyboard.press('End');
        await page.keyboard.press('Enter');
        await soon(async () => assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark'));
        await page.reload();
        await page.getByRole('navigation', { name: 'Views' }).waitFor();
        await soon(async () => assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark'));
        quiet(page);
    } finally {
        await server.stop();
    }
});

test('every language has the page', async () => {
    const server = await Server.start();
    const page = await visitor(browser, { language: 'zh-CN' });
    try {
        await page.goto(server.url);
        await page.getByRole('heading', { name: '设置 Wharf' }).waitFor();
        await page.getByRole('button', { name: 'Português' }).click();
        await page.getByRole('heading', { name: 'Configurar o Wharf' }).waitFor();
        await soon(async () => assert.equal(await page.evaluate(() => document.documentElement.lang), 'pt'));
        quiet(page);
    } finally {
        await server.stop();
    }
});

test('somebody with a session is asked for once, before the page has started, and the view comes with the start', async () => {
    const server = await Server.withOperator();
    try {
        const page = await member(browser, await server.person('zoe'));
        /** @type {string[]} */
        const asked = [];
        page.on('request', (request) => asked.push(new URL(request.url()).pathname));
        await page.goto(`${server.url}/settings`);
        await page.getByRole('link', { name: 'Appearance' }).waitFor();
        for (const path of ['/api/v1/account', '/api/v1/server']) assert.equal(asked.filter((each) => each === path).length, 1, path);
        const at = (/** @type {string} */ path) => asked.findIndex((each) => each.endsWith(path));
        assert.ok(at('/api/v1/account') < at('/lang/en.js') && at('/views/settings/view.js') < at('/lang/en.js'), asked.join(' '));
        quiet(page);
        await page.context().close();
    } finally {
        await server.stop();
    }
});

test('the first load is small', async () => {
    const server = await Server.start();
    try {
        const shell = await (await fetch(server.url)).text();
        const addresses = [...new Set([...shell.matchAll(/(?:href|src)="(\/a\/[^"]+\.(?:js|css))"/g)].map(([, address]) => address))];
        const languages = addresses.filter((address) => address.endsWith('/lang/index.js')).map((address) => address.replace('index.js', 'en.js'));
        let total = 0;
        for (const address of [...addresses, ...languages]) {
            const answer = await fetch(server.url + address, { headers: { 'accept-encoding': 'gzip' } });
            total += Number(answer.headers.get('content-length'));
        }
        assert.ok(addresses.length > 10 && total > 10_000, 'it was measured');
        assert.ok(total <= 150 * 1024, `${total} bytes`);
        console.log(`first load: ${total} bytes compressed in ${addresses.length + languages.length} files`);
    } finally {
        await server.stop();
    }
});
