// What the server's frames make of the rooms that the page knows, without a browser.

import assert from 'node:assert/strict';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

// What the modules look for when they are loaded.
Object.assign(globalThis, { addEventListener: () => {}, location: { pathname: '/', search: '', origin: 'http://localhost' } });
const WEB = fileURLToPath(new URL('../../crates/wharf-server/web', import.meta.url));
const { apply } = await import(path.join(WEB, 'store/apply.js'));
const { clear, collections } = await import(path.join(WEB, 'store/model.js'));
const timelines = await import(path.join(WEB, 'store/timeline.js'));
const { me } = await import(path.join(WEB, 'session.js'));

/** @param {number} position @param {object} body */
const entry = (position, body) => ({ position, at_ms: position, account: 'ben', hash: `hash ${position}`, origin: {}, body });
/** @param {number} position @param {string} text */
const said = (position, text) => entry(position, { kind: 'text', text });
/** The room as the list has it when its log is at `head`. @param {number} head @param {object} last @param {object} [more] */
const room = (head, last, more) => ({
    item: 'room', id: 'room', kind: 'group', name: 'Harbour', head, head_hash: `hash ${head}`, last, floor: 0, drive_head: 0, read: 0, unread: head, mentions: 0,
    joined_ms: 1, member_count: 2, can_write: true, preferences: {}, ...more,
});
const held = () => collections.rooms.map.get('room');
/** @param {object} entry */
const tell = (entry) => apply({ type: 'entry', room: 'room', entry });

beforeEach(() => {
    clear();
    timelines.clear();
    me.value = { id: 'ada' };
    apply({ type: 'welcome', epoch: 'epoch', heartbeat_seconds: 15, number: 0 });
    apply({ type: 'account', version: 1, items: [room(1, said(1, 'one'))] });
    apply({ type: 'ready' });
    timelines.timeline('room').live(said(1, 'one'));
});

test('a room that is told as it was before the last entry keeps that entry', () => {
    tell(said(2, 'two'));
    tell(entry(3, { kind: 'member', account: 'cleo', change: 'joined', role: 'member' }));
    apply({ type: 'account', version: 2, items: [room(1, said(1, 'one'), { preferences: { is_pinned: true } })] });
    const { head, head_hash, last, unread, member_count, preferences } = held();
    assert.deepEqual({ head, head_hash, text: last.body.text, unread, member_count }, { head: 3, head_hash: 'hash 3', text: 'two', unread: 2, member_count: 3 });
    assert.equal(preferences.is_pinned, true, 'what was changed is taken over');
    tell(entry(4, { kind: 'recall', target: 2 }));
    assert.equal(timelines.timeline('room').entries.get(2).state.recalled, 4, 'and the next entry follows');
});

test('a room that is told as it is after entries that have not come yet still gets them', () => {
    tell(said(2, 'two'));
    apply({ type: 'account', version: 2, items: [room(4, said(3, 'three'), { unread: 3, name: 'Port', member_count: 2 })] });
    assert.equal(held().head, 2);
    assert.equal(held().name, 'Port');
    tell(said(3, 'three'));
    tell(entry(4, { kind: 'edit', target: 2, text: 'TWO' }));
    assert.equal(timelines.timeline('room').entries.get(2).state.edited.text, 'TWO');
    assert.deepEqual([held().head, held().last.body.text, held().unread], [4, 'three', 3]);
});

test('a list that is told whole takes the place of the old one at once, and not before', () => {
    apply({ type: 'account', version: 2, items: [room(1, said(1, 'one'), { id: 'other' })] });
    apply({ type: 'welcome', epoch: 'another epoch', heartbeat_seconds: 15, number: 0 });
    assert.ok(held(), 'a view of the room stays');
    apply({ type: 'account', version: 1, items: [room(1, said(1, 'one'))] });
    assert.ok(held());
    assert.equal(collections.rooms.map.get('other'), undefined, 'what is not told any more is gone');
    assert.equal(timelines.timeline('room').entries.size, 0, 'positions of another epoch mean nothing');
    apply({ type: 'account', version: 2, items: [room(2, said(2, 'two'), { id: 'third' })] });
    assert.ok(held(), 'and what follows is added');
});

test('at the start of a connection, and after coming back, a room is as it is told', () => {
    apply({ type: 'account', version: 2, items: [room(7, said(7, 'seven'), { joined_ms: 2 })] });
    assert.equal(held().head, 7);
    apply({ type: 'welcome', epoch: 'epoch', heartbeat_seconds: 15, number: 0 });
    apply({ type: 'account', version: 3, items: [room(9, said(9, 'nine'), { joined_ms: 2 })] });
    apply({ type: 'ready' });
    assert.deepEqual([held().head, held().last.body.text, held().unread], [9, 'nine', 9]);
});
