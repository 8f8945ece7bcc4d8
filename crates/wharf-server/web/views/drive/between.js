// Copies and moves from one drive to another by the names of chunks: no bytes travel.

import * as api from '../../api.js';
import { t } from '../../lang/index.js';
import { attempt, say } from '../../parts/notice.js';
import { nextName } from '../../transfer/names.js';
import { overQuota, spaceLeft } from '../../transfer/space.js';
import { join } from './address.js';
import { commit } from './deeds.js';

/** @typedef {import('../../types').Node} Node */
/** @typedef {import('../../types').Op} Op */
/** @typedef {{ room: string, path: string }} Place a folder of a drive */

/** Entries of one page of a tree. */
const PAGE = 5000;

/** A path in a folder that nothing has, with a number where the name is taken. @param {Place} to @param {string} name @param {Set<string>} given paths that are spoken for */
async function freePath(to, name, given) {
    for (let path = join(to.path, name); ; path = nextName(path)) {
        if (given.has(path)) continue;
        const isFree = await api.get(`/rooms/${to.room}/node`, { path }).then(() => false, (error) => {
            if (error instanceof api.ApiError && error.code === 'not_found') return true;
            throw error;
        });
        if (!isFree) continue;
        given.add(path);
        return path;
    }
}

/** What makes a node, and all below it, at a path of another drive. @param {string} room @param {Node} node @param {string} path @param {Op[]} ops */
async function opsFor(room, node, path, ops) {
    const put = (/** @type {string} */ at, /** @type {string | undefined} */ manifest, /** @type {{ kind: string, mtime_ns?: number, executable?: boolean }} */ of) => ops.push({
        op: 'put', path: at, manifest: manifest ?? '', expect: 'absent', mtime_ns: of.mtime_ns, executable: of.executable, link: of.kind === 'link' ? true : undefined,
    });
    if (node.kind !== 'folder') put(path, (await api.get(`/rooms/${room}/manifest`, { id: node.id, revision: node.revision })).manifest, node);
    else {
        ops.push({ op: 'make_folder', path, expect: 'absent' });
        let after;
        do {
            /** @type {import('../../types').Tree} */
            const page = await api.get(`/rooms/${room}/tree`, { id: node.id, manifests: true, limit: PAGE, after });
            for (const entry of page.items) {
                if (entry.kind === 'folder') ops.push({ op: 'make_folder', path: join(path, entry.path), expect: 'absent' });
                else put(join(path, entry.path), entry.manifest, entry);
            }
            after = page.next;
        } while (after);
    }
    if (node.tags?.length) ops.push({ op: 'tag', at: { path }, add: node.tags });
}

/** @param {string} room @param {readonly Node[]} nodes @param {Place} to */
async function copyAll(room, nodes, to) {
    /** @type {Op[]} */
    const ops = [];
    /** @type {Set<string>} */
    const given = new Set();
    for (const node of nodes) await opsFor(room, node, await freePath(to, node.name, given), ops);
    const left = await spaceLeft(to.room);
    if (nodes.reduce((sum, node) => sum + node.bytes, 0) > left) throw overQuota(left);
    await commit(to.room, ops);
}

/** @param {Place} to */
const nameOf = (to) => to.path.split('/').pop() || t('drive.top');

/** Copies nodes into a folder of this or another drive. @param {string} room @param {readonly Node[]} nodes @param {Place} to */
export async function copy(room, nodes, to) {
    await attempt(async () => {
        await copyAll(room, nodes, to);
        say(t('drive.copied', { n: nodes.length, folder: nameOf(to) }));
    });
}

/** Moves nodes into a folder of another drive: they are copied there, and then go to the trash here. @param {string} room @param {readonly Node[]} nodes @param {Place} to */
export async function moveBetween(room, nodes, to) {
    await attempt(async () => {
        await copyAll(room, nodes, to);
        // A file that was changed meanwhile stays where it is.
        await commit(room, nodes.map((node) => ({ op: 'remove', at: { id: node.id }, ...(node.kind === 'folder' ? {} : { expect: { revision: node.revision } }) })));
        say(t('drive.moved', { n: nodes.length, folder: nameOf(to) }));
    });
}
