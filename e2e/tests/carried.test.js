// What the program serves is what is in the folder: a development build reads it, a release build carries it.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Server } from '../lib/server.js';

const WEB = fileURLToPath(new URL('../../crates/wharf-server/web', import.meta.url));
/** What is not served, or not as it is. */
const OTHERS = /\.md$|\.d\.ts$|SUMS$|^(index\.html|sw\.js|manifest\.webmanifest)$/;

test('every file of the page is served, as it is', async () => {
    const server = await Server.start();
    try {
        const shell = await (await fetch(server.url)).text();
        const [base] = /** @type {RegExpExecArray} */ (/\/a\/[0-9a-f]{16}/.exec(shell));
        const entries = await readdir(WEB, { recursive: true, withFileTypes: true });
        const files = entries.filter((entry) => entry.isFile()).map((entry) => path.relative(WEB, path.join(entry.parentPath ?? entry.path, entry.name))).filter((file) => !OTHERS.test(file));
        assert.ok(files.length > 50);
        for (const file of files) {
            const answer = await fetch(`${server.url}${base}/${file.split(path.sep).map(encodeURIComponent).join('/')}`);
            assert.equal(answer.status, 200, file);
            assert.ok((await readFile(path.join(WEB, file))).equals(Buffer.from(await answer.arrayBuffer())), file);
        }
        const worker = await (await fetch(`${server.url}/sw.js`)).text();
        for (const file of files.filter((name) => name.endsWith('.js'))) assert.ok(worker.includes(`${base}/${file.replaceAll(path.sep, '/')}"`), `${file} is kept for when there is no network`);
    } finally {
        await server.stop();
    }
});
