// Files that somebody has chosen, dropped or pasted: folders with all that is in them, and whether there is room for them.

import { html } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { Dialog, open } from '../../parts/dialog.js';
import { attempt } from '../../parts/notice.js';
import { addTo } from '../../transfer/queue.js';
import { spaceLeftIfKnown } from '../../transfer/space.js';

/** @typedef {{ path: string, file: File }} Chosen the path is within the folder that it goes to */

/** Puts files into a folder; where there is not room for all of them, asks what to do. @param {string} room @param {string} folder @param {Chosen[]} files */
export async function add(room, folder, files) {
    if (files.length === 0) return;
    const left = await spaceLeftIfKnown(room);
    const needed = files.reduce((sum, { file }) => sum + file.size, 0);
    const going = needed <= left ? files : await askWhich(files, needed, left);
    if (going) await attempt(() => addTo(room, folder, going));
}

/** Those that fit, in their order. @param {Chosen[]} files @param {number} left */
function fitting(files, left) {
    return files.filter(({ file }) => {
        if (file.size > left) return false;
        left -= file.size;
        return true;
    });
}

/** @param {Chosen[]} files @param {number} needed @param {number} left @returns {Promise<Chosen[] | undefined>} */
function askWhich(files, needed, left) {
    const some = fitting(files, left);
    return open(({ close }) => html`
        <${Dialog} title=${t('drive.full')} close=${() => close()} class="narrow" onSubmit=${() => close(some)} footer=${some.length > 0 ? html`
            <button type="button" class="button" onClick=${() => close()}>${t('do.cancel')}</button>
            <button class="button primary" autofocus>${t('drive.full.some', { n: some.length })}</button>
        ` : html`<button type="button" class="button" autofocus onClick=${() => close()}>${t('do.close')}</button>`}>
            <p>${t('drive.full.text', { needed: size(needed), left: size(left) })}</p>
        <//>
    `);
}

/** The files of what was dropped, folders with all that is in them. @param {DataTransfer} transfer @returns {Promise<Chosen[]>} */
export async function filesOf(transfer) {
    const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry());
    const plain = [...transfer.files];
    /** @type {Chosen[]} */
    const found = [];
    for (const [index, entry] of entries.entries()) {
        if (entry) await walk(entry, found);
        else if (plain[index]) found.push({ path: plain[index].name, file: plain[index] });
    }
    return found;
}

/** @param {FileSystemEntry} entry @param {Chosen[]} found */
async function walk(entry, found) {
    if (entry.isFile) {
        const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
        found.push({ path: entry.fullPath.replace(/^\//, ''), file });
        return;
    }
    const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
    for (;;) {
        // A folder is read in parts; an empty one is the last.
        const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (entries.length === 0) return;
        for (const inner of entries) await walk(inner, found);
    }
}

/** The files that were chosen in a dialog of the system. @param {FileList | null} list @returns {Chosen[]} */
export const chosenFiles = (list) => [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
