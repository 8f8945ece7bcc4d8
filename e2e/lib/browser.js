// Chromium for tests: a browser with a fresh profile for each test file, and one context (cookies, storage) for each person in it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

import { delay } from './delays.js';

const EXECUTABLE = process.env.WHARF_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];
/** How long something may be in coming before a test fails. */
export const PATIENCE_MS = 20_000;

const require = createRequire(import.meta.url);
const AXE = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').BrowserContext} Context */

export async function launch() {
    return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
}

/**
 * A tab of somebody's browser. Whatever the page writes as an error to its console fails the test at the end (see `quiet`).
 * @param {import('playwright-core').Browser} browser
 * @param {{ width?: number, height?: number, dark?: boolean, language?: string, options?: import('playwright-core').BrowserContextOptions }} [options]
 */
export async function visitor(browser, { width = 1280, height = 800, dark = false, language = 'en-GB', options } = {}) {
    const context = await browser.newContext({
        viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', locale: language, reducedMotion: 'reduce', timezoneId: 'Europe/Lisbon', ...options,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    await delay(context);
    const page = await context.newPage();
    listen(page);
    return page;
}

/** @type {WeakMap<Page, string[]>} */
const errors = new WeakMap();

/** Collects what a page complains of. @param {Page} page */
export function listen(page) {
    /** @type {string[]} */
    const found = [];
    errors.set(page, found);
    page.on('pageerror', (error) => found.push(String(error)));
    page.on('console', (message) => {
        // The browser itself writes answers such as a 401 to the console; those are the server's business.
        if (message.type() === 'error' && !/Failed to load resource|net::ERR|WebSocket connection/.test(message.text())) found.push(message.text());
    });
}

/** Fails if the page has thrown, or written an error to its console (a violation of its policy among them). @param {Page[]} pages */
export function quiet(...pages) {
    for (const page of pages) assert.deepEqual(errors.get(page) ?? [], []);
}

/** Logs somebody in through the page. @param {Page} page @param {import('./server.js').Person} person */
export async function logIn(page, person) {
    await page.goto(person.server.url);
    await page.getByLabel('Username, number or e-mail').fill(person.username);
    await page.getByLabel('Password', { exact: true }).fill(person.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
}

/** A visitor who is logged in. @param {import('playwright-core').Browser} browser @param {import('./server.js').Person} person @param {Parameters<typeof visitor>[1]} [options] */
export async function member(browser, person, options) {
    const page = await visitor(browser, options);
    await logIn(page, person);
    return page;
}

/** Sets the page's theme as a person's system would. @param {Page} page @param {'light' | 'dark'} theme */
export async function setTheme(page, theme) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    // Chromium recomputes what inherits from the root over several frames.
    await page.evaluate(() => new Promise((resolve) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(resolve)), 150)));
}

/** Asks axe about the page in both themes: there must be no findings. @param {Page} page @param {{ within?: string }} [options] */
export async function noFindings(page, { within } = {}) {
    for (const theme of /** @type {const} */ (['dark', 'light'])) {
        await setTheme(page, theme);
        await page.evaluate(AXE);
        const result = await page.evaluate(async (selector) => {
            const axe = /** @type {any} */ (window).axe;
            return axe.run(selector ?? document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
        }, within);
        const findings = result.violations.map((/** @type {any} */ found) => ({ theme, rule: found.id, help: found.help, where: found.nodes.slice(0, 4).map((/** @type {any} */ node) => `${node.target.join(' ')}: ${node.failureSummary?.split('\n')[1]?.trim() ?? ''}`) }));
        assert.deepEqual(findings, []);
    }
}

/** Fails if the page can be scrolled sideways, also after it has drawn itself for a screen that has just become another. @param {Page} page */
export async function fitsSideways(page) {
    const measure = () => page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    let [wide, shown] = await measure();
    for (const end = Date.now() + PATIENCE_MS; wide > shown && Date.now() < end; [wide, shown] = await measure()) await page.waitForTimeout(50);
    assert.ok(wide <= shown, `${wide} px are wider than the screen's ${shown}`);
}

/**
 * Takes pictures of what is shown, in three widths and both themes, into the folder that WHARF_PICTURES names. Without one it does nothing.
 * @param {Page} page @param {string} name @param {{ widths?: number[] }} [options]
 */
export async function picture(page, name, { widths = [1280, 900, 360] } = {}) {
    const folder = process.env.WHARF_PICTURES;
    if (!folder) return;
    await mkdir(folder, { recursive: true });
    const before = page.viewportSize();
    for (const width of widths) {
        await page.setViewportSize({ width, height: 800 });
        for (const theme of /** @type {const} */ (['dark', 'light'])) {
            await setTheme(page, theme);
            await page.waitForTimeout(250);
            await page.screenshot({ path: path.join(folder, `${name}-${width}-${theme}.png`) });
        }
    }
    if (before) await page.setViewportSize(before);
}

/** Waits until `work` gives something true, or throws. @template T @param {() => Promise<T> | T} work @param {string} what @returns {Promise<T>} */
export async function until(work, what) {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
        const value = await work();
        if (value) return value;
        if (Date.now() > end) throw new Error(`still not: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** Waits until `check` throws no more, or throws what it threw last: what a page shows follows what was done by a frame or by an answer. @param {() => unknown} check */
export async function soon(check) {
    for (const end = Date.now() + PATIENCE_MS; ; ) {
        try {
            await check();
            return;
        } catch (error) {
            if (Date.now() > end) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
