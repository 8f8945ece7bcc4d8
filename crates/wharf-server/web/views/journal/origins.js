// Where entries came from, in words: the device that wrote them, the door that they came through, and the address.

import * as api from '../../api.js';
import { signal } from '../../html.js';
import { t } from '../../lang/index.js';

/** @typedef {import('../../types').Entry} Entry */

/** The doors that the page has words for. */
const DOORS = ['http', 'netdisk', 'pychat', 'diary', 'journal', 'filestored', 'internal'];

/** The names of the own devices, by session. @type {import('../../vendor/signals.js').Signal<ReadonlyMap<string, string>>} */
const devices = signal(new Map());
/** Sessions that were asked for: one that has ended has no name any more. @type {Set<string>} */
const asked = new Set();
let isAsking = false;

/** Has the devices' names, sooner or later. @param {string} session one that has no name yet */
function ask(session) {
    if (isAsking || asked.has(session)) return;
    isAsking = true;
    api.get('/sessions').then((/** @type {import('../../types').Session[]} */ all) => {
        asked.add(session);
        devices.value = new Map(all.map(({ id, device }) => [id, device]));
    }, () => {}).finally(() => {
        isAsking = false;
    });
}

/** A door, a device's name or an address, as it is shown. @param {string} name */
export const doorName = (name) => (DOORS.includes(name) ? t(`journal.door.${name}`) : name);

/** Where an entry came from. @param {Entry} entry */
export function originOf(entry) {
    const { session, door, address } = entry.origin;
    const device = session ? devices.value.get(session) : undefined;
    if (session && !device) queueMicrotask(() => ask(session));
    return [device ?? doorName(door), door !== 'http' && device ? doorName(door) : '', address].filter(Boolean).join(' · ');
}
