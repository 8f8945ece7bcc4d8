// How fast and how large the page is. What a clock says is told and not asserted; rows, bytes and memory are bounded. `./test figures` is the long form.

import assert from 'node:assert/strict';
import { open, stat } from 'node:fs/promises';
import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, logIn, member, quiet, until, visitor } from '../lib/browser.js';
import { figure, isLong, percentile, spread, tell } from '../lib/figures.js';
import { countSent } from '../lib/sent.js';
import { Server } from '../lib/server.js';

/** @typedef {import('playwright-core').Page} Page */

const MIB = 1024 * 1024;
const ROWS_MAX = 400;
const FIRST_LOAD_BYTES_MAX = 150_000;
/** What an upload may have in the page's memory: three batches, each as it was read and as it is sent, and the page itself. */
const MEMORY_BYTES_MAX = 200 * MIB;
const ENTRIES = isLong ? 100_000 : 2000;
const FILES = isLong ? 100_000 : 10_000;
const UPLOAD_BYTES = (isLong ? 1024 : 96) * MIB;
const ROUNDS = isLong ? 9 : 3;
const MESSAGES = isLong ? 50 : 10;
const SCROLL_MS = isLong ? 8000 : 2000;
/** How long a large upload may take before the test fails. */
const UPLOAD_PATIENCE_MS = 600_000;

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Server} */
let server;
before(async () => {
    [browser, server] = await Promise.all([launch(), Server.withOperator({ args: ['--account-burst', '1000000', '--account-per-minute', '1000000', '--address-burst', '1000000', '--address-per-minute', '1000000'] })]);
});
after(async () => {
    await tell();
    await browser?.close();
    await server?.stop();
});

/** Has a page note when something is there first, in milliseconds since its navigation began. @param {Page} page @param {string} selector @returns {Promise<() => Promise<number>>} */
async function noteFirst(page, selector) {
    await page.addInitScript((selector) => {
        const look = () => {
            if (/** @type {any} */ (window).firstAt === undefined && document.querySelector(selector)) /** @type {any} */ (window).firstAt = performance.now();
        };
        new MutationObserver(look).observe(document, { childList: true, subtree: true });
    }, selector);
    return async () => {
        await page.waitForFunction(() => /** @type {any} */ (window).firstAt !== undefined);
        return page.evaluate(() => /** @type {any} */ (window).firstAt);
    };
}

/** How much came before a conversation was shown: the page's own files, compressed as they were. @param {Page} page */
async function noteFirstLoad(page) {
    const loaded = await page.evaluate(() => /** @type {PerformanceResourceTiming[]} */ ([...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')])
        .filter(({ name }) => !new URL(name).pathname.startsWith('/api/')).map(({ encodedBodySize, decodedBodySize, transferSize }) => ({ encodedBodySize, decodedBodySize, transferSize })));
    const sum = (/** @type {'encodedBodySize' | 'decodedBodySize' | 'transferSize'} */ which) => loaded.reduce((total, each) => total + each[which], 0);
    const bytes = sum('encodedBodySize');
    figure('first load of the page, a conversation shown', `${(bytes / 1000).toFixed(0)} kB compressed, ${(sum('transferSize') / 1000).toFixed(0)} kB with headers; ${loaded.length} files`, '≤ 150 kB compressed');
    assert.ok(loaded.length > 20 && bytes > 0 && sum('decodedBodySize') > bytes, 'the files were counted');
    assert.ok(bytes <= FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
}

test('the first load is small, and the page is usable soon', async () => {
    const [ada, ben] = await Promise.all([server.person('ada', { nickname: 'Ada' }), server.person('ben', { nickname: 'Ben' })]);
    const room = await server.befriend(ada, ben);
    for (let number = 0; number < 30; number += 1) await ben.say(room, `line ${number}`);
    const known = await member(browser, ada);
    const storageState = await known.context().storageState();
    await known.context().close();
    const [cold, cached] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
    for (let round = 0; round < ROUNDS; round += 1) {
        const page = await visitor(browser, { options: { storageState } });
        const shown = await noteFirst(page, '.log .text');
        await page.goto(`${server.url}/c/${room}`);
        cold.push(await shown());
        if (round === 0) await noteFirstLoad(page);
        await page.evaluate(() => navigator.serviceWorker?.ready);
        await page.reload();
        cached.push(await shown());
        quiet(page);
        await page.context().close();
    }
    figure('usable: a conversation is shown, nothing cached', spread(cold), '≤ 1000 ms');
    figure('usable: the same, cached', spread(cached), '≤ 300 ms');
});

test('a message is shown elsewhere soon after Enter', async () => {
    const [ada, ben] = await Promise.all([server.person('cleo', { nickname: 'Cleo' }), server.person('dan', { nickname: 'Dan' })]);
    const room = await server.befriend(ada, ben);
    const pages = [await member(browser, ada), await member(browser, ben)];
    for (const page of pages) {
        await page.goto(`${server.url}/c/${room}`);
        await page.getByLabel('Write a message').waitFor();
        // What is shown is noted by its text, with the clock that both pages share.
        await page.evaluate(() => {
            /** @type {Record<string, number>} */
            const seen = {};
            /** @type {any} */ (window).seen = seen;
            const now = () => performance.timeOrigin + performance.now();
            new MutationObserver(() => {
                for (const text of document.querySelectorAll('.log .text')) seen[/** @type {HTMLElement} */ (text).innerText.trim()] ??= now();
            }).observe(/** @type {Element} */ (document.querySelector('.shell-main')), { childList: true, subtree: true, characterData: true });
            addEventListener('keydown', (event) => { if (event.key === 'Enter') /** @type {any} */ (window).enteredAt = performance.timeOrigin + event.timeStamp; }, true);
        });
    }
    const [here, there] = pages;
    const [own, other] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
    for (let number = 0; number < MESSAGES; number += 1) {
        const text = `message ${number}`;
        await here.getByLabel('Write a message').fill(text);
        await here.getByLabel('Write a message').press('Enter');
        const seen = (/** @type {Page} */ page) => until(() => page.evaluate((text) => /** @type {any} */ (window).seen[text], text), `${text} is shown`);
        const [at, echoed, arrived] = [await here.evaluate(() => /** @type {any} */ (window).enteredAt), await seen(here), await seen(there)];
        own.push(echoed - at);
        other.push(arrived - at);
    }
    figure('a message is shown to its writer after Enter', spread(own));
    figure('a message is shown to the other after Enter, durable', spread(other), '≤ 100 ms');
    quiet(here, there);
    for (const page of pages) await page.context().close();
});

/** Scrolls a list for a while, a screen in each tenth of a second, and says how its frames were. @param {Page} page @param {string} selector @param {number} way */
function scroll(page, selector, way) {
    return page.evaluate(async ([selector, way, length]) => {
        const area = /** @type {HTMLElement} */ (document.querySelector(String(selector)));
        /** @type {number[]} */
        const frames = [];
        let rows = 0;
        await new Promise((resolve) => {
            let last = performance.now();
            const end = last + Number(length);
            const step = (/** @type {number} */ now) => {
                if (now > last) frames.push(now - last);
                area.scrollTop += (Number(way) * area.clientHeight * (now - last)) / 100;
                last = now;
                rows = Math.max(rows, area.querySelectorAll('article, .event, [role=row]').length);
                if (now < end) requestAnimationFrame(step);
                else resolve(undefined);
            };
            requestAnimationFrame(step);
        });
        return { frames, rows };
    }, /** @type {const} */ ([selector, way, SCROLL_MS]));
}

/** @param {string} what @param {{ frames: number[], rows: number }} scrolled */
function noteScroll(what, { frames, rows }) {
    const mean = frames.reduce((sum, frame) => sum + frame, 0) / frames.length;
    figure(`frames while scrolling ${what}`, `${(1000 / mean).toFixed(0)} a second (95 of 100 within ${percentile(frames, 95).toFixed(0)} ms, longest ${Math.max(...frames).toFixed(0)} ms)`, '60 a second');
    figure(`rows in the document while scrolling ${what}`, String(rows), `≤ ${ROWS_MAX}`);
    assert.ok(rows > 0 && rows <= ROWS_MAX, `${rows} rows`);
}

test('a long conversation scrolls, with few rows in the document', async () => {
    const [ada, ben] = await Promise.all([server.person('eva', { nickname: 'Eva' }), server.person('finn', { nickname: 'Finn' })]);
    const room = await server.befriend(ada, ben);
    const writers = Array.from({ length: 50 }, () => randomUUID());
    await Promise.all(writers.map(async (device) => {
        for (let number = 1; number <= ENTRIES / writers.length; number += 1) {
            const text = `line ${number} ${'and some more words '.repeat(number % 9)}`;
            await ben.ask('POST', `/rooms/${room}/log`, { device, number, draft: { kind: 'text', text }, client_ms: Date.now() });
        }
    }));
    const page = await member(browser, ada);
    await page.goto(`${server.url}/c/${room}`);
    await page.locator('.log article').first().waitFor();
    const what = `a conversation of ${ENTRIES.toLocaleString('en')} entries`;
    await page.locator('.log').press('End');
    noteScroll(what, await scroll(page, '.log', -1));
    quiet(page);
    await page.context().close();
});

test('a folder of many files scrolls, with few rows in the document', async () => {
    const gwen = await server.person('gwen');
    const manifest = Buffer.from([1, 0, 0, 0, 0]).toString('base64');
    for (let from = 0; from < FILES; from += 10_000) {
        const ops = Array.from({ length: 10_000 }, (_, index) => ({ op: 'put', path: `many/file ${String(from + index).padStart(6, '0')}.txt`, manifest }));
        await gwen.ask('POST', '/rooms/home/commit', { id: randomUUID(), ops });
    }
    const page = await member(browser, gwen);
    await page.goto(`${server.url}/drive/${gwen.account.home}/files/many`);
    await page.getByText(`${FILES.toLocaleString('en')} items`).first().waitFor({ timeout: 60_000 });
    noteScroll(`a folder of ${FILES.toLocaleString('en')} files`, await scroll(page, '.drive-rows', 1));
    quiet(page);
    await page.context().close();
});

/** Writes a file of bytes that are nowhere else. @param {string} file @param {number} bytes */
async function makeFile(file, bytes) {
    const handle = await open(file, 'w');
    for (let written = 0; written < bytes; written += 16 * MIB) await handle.write(randomBytes(Math.min(16 * MIB, bytes - written)));
    await handle.close();
    assert.equal((await stat(file)).size, bytes);
    return file;
}

/** Looks again and again how much memory a page has; gives what tells the most. @param {Page} page @returns {Promise<() => Promise<number>>} */
async function watchMemory(page) {
    const devtools = await page.context().newCDPSession(page);
    let most = 0;
    let isOver = false;
    const watch = async () => {
        while (!isOver) {
            // The heap, and the buffers that lie outside of it.
            const { usedSize, backingStorageSize = 0 } = /** @type {any} */ (await devtools.send('Runtime.getHeapUsage'));
            most = Math.max(most, usedSize + backingStorageSize);
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    };
    const watching = watch();
    return async () => {
        isOver = true;
        await watching;
        return most;
    };
}

test('a large file goes up, and after a reload only what had not arrived', async () => {
    const hana = await server.person('hana');
    await /** @type {import('../lib/server.js').Person} */ (server.operator).ask('PATCH', `/admin/accounts/${hana.id}`, { quota_bytes: 3 * UPLOAD_BYTES });
    const file = await makeFile(path.join(server.folder, 'large.bin'), UPLOAD_BYTES);
    const page = await visitor(browser);
    await logIn(page, hana);
    await page.goto(`${server.url}/drive`);
    const most = await watchMemory(page);
    const began = performance.now();
    await page.locator('.drive-tools input[type=file][multiple]').setInputFiles(file);
    const panel = page.getByRole('region', { name: 'Uploads' });
    await panel.getByText('1 file is there').waitFor({ timeout: UPLOAD_PATIENCE_MS });
    const seconds = (performance.now() - began) / 1000;
    const memory = await most();
    const size = `${UPLOAD_BYTES / MIB} MiB`;
    figure(`an upload of ${size} from the page, durable`, `${(UPLOAD_BYTES / MIB / seconds).toFixed(0)} MiB/s`, '≥ 200 MiB/s');
    figure(`the page's memory meanwhile, heap and buffers, at most`, `${(memory / MIB).toFixed(0)} MiB`, `≤ ${MEMORY_BYTES_MAX / MIB} MiB`);
    assert.ok(memory <= MEMORY_BYTES_MAX, `${memory} bytes`);
    quiet(page);
    await page.context().close();

    const other = await makeFile(path.join(server.folder, 'other.bin'), UPLOAD_BYTES);
    const again = await visitor(browser);
    const sent = await countSent(again);
    await logIn(again, hana);
    await again.goto(`${server.url}/drive`);
    await again.locator('.drive-tools input[type=file][multiple]').setInputFiles(other);
    await again.waitForFunction((bytes) => Number(sessionStorage.getItem('sent') ?? 0) >= bytes, UPLOAD_BYTES / 3, { timeout: UPLOAD_PATIENCE_MS });
    await again.reload();
    await again.getByRole('region', { name: 'Uploads' }).locator('input[data-again=files]').setInputFiles(other);
    await again.getByRole('region', { name: 'Uploads' }).getByText('1 file is there').waitFor({ timeout: UPLOAD_PATIENCE_MS });
    const travelled = await sent();
    figure(`bytes that travelled for ${size} with a reload in the middle`, `${(travelled / MIB).toFixed(0)} MiB`, size);
    // What was under way when the page went may have arrived unseen; then it was not sent again.
    assert.ok(travelled <= UPLOAD_BYTES, `${travelled} bytes`);
    assert.equal((await hana.ask('GET', '/rooms/home/node?path=other.bin')).bytes, UPLOAD_BYTES);
    await again.context().close();
});
