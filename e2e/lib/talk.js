// What tests of conversations do again and again.

import assert from 'node:assert/strict';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('./server.js').Server} Server */

let count = 0;

/** A number that no other test of this process has. */
export const another = () => ++count;

/** Two people who are contacts, Ada and Ben, and their room. @param {Server} server */
export async function pair(server) {
    const number = another();
    const [a, b] = await Promise.all([server.person(`ada${number}`, { nickname: 'Ada' }), server.person(`ben${number}`, { nickname: 'Ben' })]);
    return { a, b, room: await server.befriend(a, b) };
}

/** A room of several: the first owns it, the others are in it. @param {string} name @param {import('./server.js').Person[]} people @returns {Promise<string>} */
export async function group(name, [owner, ...others]) {
    const room = await owner.ask('POST', '/rooms', { name, topic: '', history: 'all', invite: others.map(({ id }) => id) });
    for (const other of others) await other.ask('POST', `/room-invitations/${room.id}/accept`);
    return room.id;
}

/** @param {Page} page @param {string} room */
export const openRoom = (page, room) => page.goto(new URL(`/c/${room}`, page.url()).href);
/** @param {Page} page */
export const field = (page) => page.getByLabel('Write a message');
/** What a page shows as said, in its order. @param {Page} page @returns {Promise<string[]>} */
export const said = (page) => page.locator('.log .text').allInnerTexts();
/**
 * The messages that have a text. The time below it does not count: `before 2` of 00:08 would be `before 20`, too.
 * @param {Page} page @param {string} text
 */
export const bubble = (page, text) => page.locator('article').filter({ has: page.locator('.bubble > :not(.stamp)', { hasText: text }) });

/** @param {Page} page @param {string} text */
export async function write(page, text) {
    await field(page).fill(text);
    await field(page).press('Enter');
}

/** Fails if what is said in a room is other than this. @param {import('./server.js').Person} person @param {string} room @param {string[]} texts */
export async function hasLog(person, room, texts) {
    const log = await person.ask('GET', `/rooms/${room}/log`);
    assert.deepEqual(log.items.map((/** @type {any} */ entry) => entry.body?.text).filter(Boolean), texts);
}
