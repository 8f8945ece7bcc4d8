// Modules of the page that need no browser.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('../../crates/wharf-server/web', import.meta.url));
const fold = await import(path.join(WEB, 'fold.js'));

test('the fold agrees with the server on every example', async () => {
    const { entries } = JSON.parse(await readFile(new URL('../../docs/protocol/fold.json', import.meta.url), 'utf8'));
    assert.ok(entries.length > 10);
    for (const { name, entry, later, state, erased = false, text, mentions } of entries) {
        for (const next of later) fold.apply(entry, next);
        const { reactions, ...rest } = entry.state ?? {};
        assert.deepEqual({ ...rest, ...(reactions?.length ? { reactions } : {}) }, state, name);
        assert.equal(entry.body === undefined, erased, name);
        assert.equal(fold.textOf(entry), text, name);
        assert.deepEqual(fold.mentionsOf(entry), mentions, name);
    }
});

/** @param {string} folder @returns {Promise<string[]>} */
async function langFolders(folder) {
    /** @type {string[]} */
    const found = [];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
        if (!entry.isDirectory()) continue;
        const inner = path.join(folder, entry.name);
        if (entry.name === 'lang') found.push(inner);
        else if (entry.name !== 'vendor') found.push(...(await langFolders(inner)));
    }
    return found;
}

test('every text is there in every language, with the same values', async () => {
    const folders = await langFolders(WEB);
    assert.ok(folders.length >= 2);
    for (const folder of folders) {
        const [en, zh, pt] = await Promise.all(['en', 'zh', 'pt'].map(async (name) => (await import(path.join(folder, `${name}.js`))).default));
        for (const other of [zh, pt]) {
            assert.deepEqual(Object.keys(other).sort(), Object.keys(en).sort(), folder);
            for (const [key, text] of Object.entries(en)) {
                const values = (/** @type {any} */ of) => [...new Set(JSON.stringify(of).match(/\{\w+\}/g) ?? [])].sort();
                assert.deepEqual(values(other[key]), values(text), key);
            }
        }
    }
});
