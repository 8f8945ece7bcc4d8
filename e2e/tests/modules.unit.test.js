// Modules of the page that need no browser.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
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

test('chunks are named as everywhere: the test vectors of BLAKE3', async () => {
    const { blake3 } = await import(path.join(WEB, 'transfer/blake3.js'));
    const lanes = await (await import(path.join(WEB, 'transfer/blake3-wide.js'))).wide();
    /** @type {Record<string, string>} */
    const want = {
        0: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
        1: '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
        1024: '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7',
        1025: 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444',
        2049: '5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030',
        31744: '62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47',
        102400: 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085',
    };
    for (const [length, hash] of Object.entries(want)) {
        const input = Uint8Array.from({ length: Number(length) }, (_, index) => index % 251);
        assert.equal(Buffer.from(blake3(input)).toString('hex'), hash, `${length} bytes`);
        assert.equal(Buffer.from(blake3(input, lanes)).toString('hex'), hash, `${length} bytes, four lanes`);
    }
    // Trees of every shape, alone and four lanes at a time, with what was hashed before still in the memory.
    const all = randomBytes(80_000);
    for (let length = 3000; length < all.length; length += 509) {
        const input = new Uint8Array(all.buffer, all.byteOffset, length);
        assert.deepEqual(blake3(input, lanes), blake3(input), `${length} bytes`);
    }
});

test('Chinese names are found by their reading and its initials', async () => {
    const { firstCharacters, hasReadings, load, soundsLike } = await import(path.join(WEB, 'parts/pinyin.js'));
    assert.equal(soundsLike('张三', 'zs'), false, 'nothing is known yet');
    await load();
    assert.equal(hasReadings(), true);
    const order = new Intl.Collator('zh-Hans-CN-u-co-pinyin');
    const firsts = firstCharacters();
    assert.ok(firsts.length > 400);
    for (let index = 1; index < firsts.length; index += 1) assert.ok(order.compare(firsts[index - 1], firsts[index]) < 0, `${firsts[index]} is in its place`);
    for (const [name, ...found] of [
        ['张三', 'zs', 'zhangsan', 'zhang san', 'zhangs', 'ZhangS', 's', 'san'],
        ['李小龙', 'lxl', 'lixiaolong', 'xiaol'], ['欧阳锋', 'oyf', 'ouyangfeng'], ['吕布', 'lvbu', 'lüb'], ['沈从文', 'scw', 'shencongwen'], ['曾国藩', 'zengguofan'],
        ['雷切', 'leiqie'], ['北海', 'beihai'], ['王3号', 'w3h'], ['阿Q', 'aq'], ['北京 Team', 'bjteam', 'beijingt'],
    ]) for (const wanted of found) assert.ok(soundsLike(name, wanted), `${name} ${wanted}`);
    for (const [name, wanted] of [['张三', 'sz'], ['张三', 'zhangsi'], ['张三', 'hang'], ['Zhang', 'zh'], ['张三', ''], ['张三', '张'], ['张三', 'z'.repeat(100)]]) assert.ok(!soundsLike(name, wanted), `${name} ${wanted}`);
});

test('days and months are counted over leap years and changes of the clock', async () => {
    const days = await import(path.join(WEB, 'views/journal/days.js'));
    assert.deepEqual(['2024-02-29', '2026-02-29', '2026-13-01', '2026-1-1', ''].map(days.isDay), [true, false, false, false, false]);
    assert.deepEqual(['02-29', '11-31', '11-21'].map(days.isDayOfYear), [true, false, true]);
    assert.equal(days.plusDays('2026-12-31', 1), '2027-01-01');
    // A day of 23 hours, where there is one, and a year of which every day is gone through.
    let day = '2026-01-01';
    for (let count = 1; count < 365; count += 1) day = days.plusDays(day, 1);
    assert.equal(day, '2026-12-31');
    assert.equal(days.sameDayOfMonth('2026-03-31', -1), '2026-02-28');
    assert.equal(days.sameDayOfMonth('2024-02-29', 12), '2025-02-28');
    assert.equal(days.plusMonths('2026-01', -1), '2025-12');
    const monday = days.weeksOf('2026-11', 1);
    assert.deepEqual([monday.length, monday[0][0], monday.at(-1).at(-1)], [6, '2026-10-26', '2026-12-06']);
    const sunday = days.weeksOf('2026-11', 7);
    assert.deepEqual([sunday.length, sunday[0][0], sunday.at(-1).at(-1)], [5, '2026-11-01', '2026-12-05']);
    for (const weeks of [monday, sunday]) assert.ok(weeks.every((/** @type {string[]} */ week) => week.length === 7));
    assert.equal(days.dayOf(days.beginMs('0099-05-03')), '0099-05-03');
});
