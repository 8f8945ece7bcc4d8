// What people do to nodes: each deed is a commit, said to whoever uses a screen reader, and refused in words.

import * as api from '../../api.js';
import { html } from '../../html.js';
import { newId } from '../../id.js';
import { t } from '../../lang/index.js';
import { Dialog, confirm, open } from '../../parts/dialog.js';
import { attempt, say } from '../../parts/notice.js';
import { join, parentOf } from './address.js';

/** @typedef {import('../../types').Node} Node */
/** @typedef {import('../../types').Op} Op */

/** Most ids that fit into the address of an archive. */
const ARCHIVE_MAX = 200;
/** Operations of one commit. */
const OPS_MAX = 1000;

/** @param {string} room @param {Op[]} ops */
export async function commit(room, ops) {
    for (let from = 0; from < ops.length; from += OPS_MAX) {
        await api.post(`/rooms/${room}/commit`, { id: newId(), ops: ops.slice(from, from + OPS_MAX) });
    }
}

/** Asks for a name in a dialog. @param {{ title: string, label: string, value?: string, yes: string, selectTo?: number }} question @returns {Promise<string | undefined>} */
export function askName({ title, label, value = '', yes, selectTo }) {
    const chosen = (/** @type {HTMLInputElement | null} */ input) => {
        if (!input || input.dataset.isReady) return;
        input.dataset.isReady = 'true';
        requestAnimationFrame(() => {
            input.focus();
            input.setSelectionRange(0, selectTo ?? input.value.length);
        });
    };
    return open(({ close }) => {
        const done = (/** @type {Event} */ event) => {
            const name = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('name')).trim();
            if (name) close(name);
        };
        return html`
            <${Dialog} title=${title} close=${close} class="narrow" onSubmit=${done} footer=${html`
                <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
                <button class="button primary">${yes}</button>
            `}>
                <div class="field"><label for="drive-name">${label}</label>
                    <input class="input" id="drive-name" name="name" value=${value} ref=${chosen} autocomplete="off" spellcheck=${false} required maxlength="255" /></div>
            <//>
        `;
    });
}

/** Makes a folder, and gives back its name. @param {string} room @param {string} path */
export async function makeFolder(room, path) {
    const name = await askName({ title: t('drive.folder.new'), label: t('drive.name'), value: '', yes: t('drive.folder.make') });
    if (!name) return undefined;
    return attempt(async () => {
        await commit(room, [{ op: 'make_folder', path: join(path, name), expect: 'absent' }]);
        return name;
    });
}

/** @param {string} room @param {Node} node @param {string} name */
export async function rename(room, node, name) {
    if (!name || name === node.name) return;
    await attempt(() => commit(room, [{ op: 'move', from: { id: node.id }, to: join(parentOf(node.path), name) }]));
}

/** Moves nodes into a folder. Where names are taken, asks. @param {string} room @param {readonly Node[]} nodes @param {string} folder */
export async function move(room, nodes, folder) {
    const moving = nodes.filter((node) => parentOf(node.path) !== folder && !`${folder}/`.startsWith(`${node.path}/`));
    if (moving.length === 0) return;
    const ops = (/** @type {'refuse' | 'replace'} */ onExists) => moving.map((node) => (
        /** @type {Op} */ ({ op: 'move', from: { id: node.id }, to: join(folder, node.name), on_exists: onExists })));
    const done = () => say(t('drive.moved', { n: moving.length, folder: folder.split('/').pop() || t('drive.top') }));
    try {
        await commit(room, ops('refuse'));
        done();
    } catch (error) {
        if (!(error instanceof api.ApiError) || error.code !== 'exists') {
            await attempt(() => Promise.reject(error));
            return;
        }
        const taken = error.failed.length || 1;
        const text = t('drive.move.taken', { n: taken });
        if (!(await confirm({ title: t('drive.move.replace'), text, yes: t('drive.replace'), isDanger: true }))) return;
        await attempt(async () => {
            await commit(room, ops('replace'));
            done();
        });
    }
}

/** Moves nodes to the trash. @param {string} room @param {readonly Node[]} nodes */
export async function remove(room, nodes) {
    await attempt(async () => {
        await commit(room, nodes.map((node) => ({ op: 'remove', at: { id: node.id } })));
        say(t('drive.removed', { n: nodes.length }));
    });
}

/** @param {string} room @param {readonly Node[]} nodes */
export async function restore(room, nodes) {
    await attempt(async () => {
        await commit(room, nodes.map((node) => ({ op: 'restore', id: node.id })));
        say(t('drive.restored', { n: nodes.length }));
    });
}

/** Deletes nodes of the trash for ever. @param {string} room @param {readonly Node[]} nodes */
export async function purge(room, nodes) {
    const question = { title: t('drive.purge.ask', { n: nodes.length }), text: t('drive.purge.text'), yes: t('drive.purge'), isDanger: true };
    if (!(await confirm(question))) return;
    await attempt(async () => {
        await commit(room, nodes.map((node) => ({ op: 'purge', id: node.id })));
        say(t('drive.purged', { n: nodes.length }));
    });
}

/** @param {string} room @param {Node} node @param {{ add?: string[], remove?: string[] }} tags */
export async function tag(room, node, tags) {
    await attempt(() => commit(room, [{ op: 'tag', at: { id: node.id }, ...tags }]));
}

/** Gives a file the content of an earlier revision. @param {string} room @param {Node} node @param {number} revision */
export async function revert(room, node, revision) {
    await attempt(async () => {
        await commit(room, [{ op: 'revert', at: { id: node.id }, revision, expect: { revision: node.revision } }]);
        say(t('drive.reverted', { name: node.name }));
    });
}

/** The address of a file's bytes. @param {string} room @param {Node} node @param {number} [revision] */
export const contentUrl = (room, node, revision) => api.url(`/rooms/${room}/content`, { id: node.id, revision });
/** The address of a picture of an image. @param {string} room @param {Node} node @param {number} size @param {number} [revision] */
export const thumbnailUrl = (room, node, size, revision) => api.url(`/rooms/${room}/thumbnail`, { id: node.id, revision: revision ?? node.revision, size });

/** Saves one file as it is, and anything else as one archive. @param {string} room @param {readonly Node[]} nodes */
export function download(room, nodes) {
    const [first] = nodes;
    if (!first) return;
    if (nodes.length > ARCHIVE_MAX) {
        say(t('drive.download.many', { n: ARCHIVE_MAX }));
        return;
    }
    const isFile = nodes.length === 1 && first.kind !== 'folder';
    const link = document.createElement('a');
    link.href = isFile ? contentUrl(room, first) : api.url(`/rooms/${room}/drive/archive`, { ids: nodes.map((node) => node.id).join(',') });
    // The server names the archive; for a file the name is here, so that what a browser can show is saved all the same.
    link.download = isFile ? first.name : '';
    document.body.append(link);
    link.click();
    link.remove();
}
