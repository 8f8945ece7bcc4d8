// Takes the pictures of docs/pictures/page/: the main screens of what `wharf demo` shows, in three widths and both themes. `./test pictures` runs it.
//
// Each picture is a PNG of 256 colours at most (pngquant), so that all of them together stay small.

import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PATIENCE_MS, launch, setTheme, visitor } from './lib/browser.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = path.join(ROOT, 'docs/pictures/page');
const PROGRAM = process.env.WHARF_BIN ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'), 'debug', 'wharf');
const WIDTHS = { 360: 740, 800: 700, 1280: 800 };
const run = promisify(execFile);

/** @typedef {import('playwright-core').Page} Page */

/** Starts a demonstration. */
async function demo() {
    const child = spawn(PROGRAM, ['--json', 'demo', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const said = await new Promise((resolve, reject) => {
        readline.createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
        child.once('error', reject);
        child.once('exit', (code) => reject(new Error(`the demonstration ended with ${code}`)));
    });
    const stop = async () => {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGINT');
        await ended;
    };
    return { url: said.url.replace(/\/$/, ''), login: said.accounts[0], stop };
}

/** Waits until nothing is loading and every picture is there. @param {Page} page */
async function settle(page) {
    await page.waitForFunction(() => !document.querySelector('.spinner') && [...document.images].every((image) => image.complete), undefined, { timeout: PATIENCE_MS });
    await page.waitForLoadState('networkidle');
    await page.evaluate(() => document.fonts.ready);
}

/** The screens that are wanted; all of them where none is named. */
const wanted = process.argv.slice(2);

/** The screens: a name, and how to get there. @type {[string, (page: Page, url: string) => Promise<unknown>][]} */
const SCREENS = [
    ['conversations', async (page, url) => {
        await page.goto(`${url}/c`);
        if ((page.viewportSize()?.width ?? 0) < 720) await page.locator('.shell-list a').first().waitFor();
        else await page.goto(`${url}${await groupAddress(page)}`).then(() => page.locator('.log article').first().waitFor());
    }],
    ['conversation', async (page, url) => {
        await page.goto(`${url}/c`);
        await page.goto(`${url}${await groupAddress(page)}`);
        await page.locator('.log article').first().waitFor();
    }],
    ['contacts', async (page, url) => {
        await page.goto(`${url}/contacts`);
        await page.getByRole('treeitem').first().waitFor();
    }],
    ['drive-list', async (page, url) => {
        await openDrive(page, url, false);
    }],
    ['drive-grid', async (page, url) => {
        await openDrive(page, url, true);
    }],
    ['viewer', async (page, url) => {
        await openDrive(page, url, true);
        await page.locator('.drive-tile .drive-picture.has-image').first().waitFor();
        await page.locator('.drive-tile [data-name]', { hasText: /\.(jpe?g|png)$/ }).first().click();
        await page.getByRole('dialog').waitFor();
    }],
    ['settings', async (page, url) => {
        await page.goto(`${url}/settings`);
        await page.getByRole('navigation', { name: 'Sections' }).or(page.locator('.section-column')).first().waitFor();
    }],
    ['administration', async (page, url) => {
        await page.goto(`${url}/administration/people`);
        await page.getByRole('list', { name: 'People' }).getByRole('listitem').first().waitFor();
    }],
    ['journal', async (page, url) => {
        await page.goto(`${url}/journal/entries`);
        await page.locator('.journal-entry').first().waitFor();
    }],
];

/** The address of the group with the most to see. @param {Page} page */
async function groupAddress(page) {
    const rooms = await page.evaluate(async () => (await (await fetch('/api/v1/list?after=0')).json()).items.map((/** @type {any} */ item) => item.room ?? item).filter((/** @type {any} */ room) => room.kind === 'group'));
    rooms.sort((/** @type {any} */ a, /** @type {any} */ b) => b.head - a.head);
    return `/c/${rooms[0].id}`;
}

/** @param {Page} page @param {string} url @param {boolean} isGrid */
async function openDrive(page, url, isGrid) {
    await page.goto(`${url}/settings`);
    await page.evaluate((isGrid) => localStorage.setItem('wharf-drive', JSON.stringify({ isGrid })), isGrid);
    const room = (await groupAddress(page)).slice(3);
    await page.goto(`${url}/drive/${room}/files`);
    await page.getByRole(isGrid ? 'gridcell' : 'row').first().waitFor();
    const photos = page.locator('[data-name]', { hasText: /^(Photos|Pictures|Photographs)$/ });
    if ((await photos.count()) > 0) {
        await photos.first().click();
        await page.getByRole(isGrid ? 'gridcell' : 'row').filter({ hasText: /\.(jpe?g|png)/ }).first().waitFor();
    }
}

/** @param {Page} page @param {string} folder @param {string} name */
async function take(page, folder, name) {
    await page.mouse.move(0, 0);
    for (const theme of /** @type {const} */ (['light', 'dark'])) {
        await setTheme(page, theme);
        await settle(page);
        await page.screenshot({ path: path.join(folder, `${name}-${page.viewportSize()?.width}-${theme}.png`), animations: 'disabled', caret: 'hide' });
    }
}

/** @param {import('playwright-core').Browser} browser @param {Awaited<ReturnType<typeof demo>>} shown @param {number} width @param {string} folder */
async function takeAll(browser, { url, login }, width, folder) {
    const page = await visitor(browser, { width, height: WIDTHS[/** @type {keyof typeof WIDTHS} */ (width)] });
    await page.goto(url);
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    if (wanted.length === 0 || wanted.includes('entrance')) await take(page, folder, 'entrance');
    await page.getByLabel('Username, number or e-mail').fill(login.username);
    await page.getByLabel('Password', { exact: true }).fill(login.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    for (const [name, go] of SCREENS) {
        if (wanted.length > 0 && !wanted.includes(name)) continue;
        if (name === 'conversation' && width >= 720) continue;
        await go(page, url);
        await take(page, folder, name);
    }
    await page.context().close();
}

const folder = await mkdtemp(path.join(tmpdir(), 'wharf-pictures-'));
const browser = await launch();
const shown = await demo();
try {
    for (const width of Object.keys(WIDTHS)) await takeAll(browser, shown, Number(width), folder);
    if (wanted.length === 0) await rm(FOLDER, { recursive: true, force: true });
    await mkdir(FOLDER, { recursive: true });
    let bytes = 0;
    for (const file of await readdir(folder)) {
        await run('pngquant', ['--speed', '3', '--strip', '--force', '--output', path.join(FOLDER, file), path.join(folder, file)]);
        bytes += (await stat(path.join(FOLDER, file))).size;
    }
    console.log(`${(await readdir(FOLDER)).length} pictures, ${Math.round(bytes / 1024)} KiB, in ${path.relative(ROOT, FOLDER)}`);
} finally {
    await browser.close();
    await shown.stop();
    await rm(folder, { recursive: true, force: true });
}
