// Chooses a folder to move nodes into.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { t } from '../../lang/index.js';
import { Dialog, open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { fail } from '../../parts/notice.js';
import { Spinner } from '../../parts/progress.js';
import { join, parentOf } from './address.js';
import { makeFolder } from './deeds.js';

/** @typedef {import('../../types').Node} Node */

const FOLDERS_MAX = 10_000;

/** Asks for a folder; its path, or nothing. @param {string} room @param {readonly Node[]} nodes what is to be moved, which cannot go into itself @returns {Promise<string | undefined>} */
export function chooseFolder(room, nodes) {
    return open(({ close }) => html`<${Chooser} room=${room} nodes=${nodes} close=${close} />`);
}

/** @param {{ room: string, nodes: readonly Node[], close: (path?: string) => void }} props */
function Chooser({ room, nodes, close }) {
    const [path, setPath] = useState(parentOf(nodes[0]?.path ?? ''));
    const [folders, setFolders] = useState(/** @type {Node[] | null} */ (null));
    const [count, setCount] = useState(0);
    const moving = new Set(nodes.map((node) => node.id));
    useEffect(() => {
        const stop = new AbortController();
        setFolders(null);
        api.get(`/rooms/${room}/list`, { path, limit: FOLDERS_MAX }, stop.signal).then(
            (page) => setFolders(page.items.filter((/** @type {Node} */ node) => node.kind === 'folder' && !moving.has(node.id))),
            (error) => !stop.signal.aborted && fail(error),
        );
        return () => stop.abort();
    }, [room, path, count]);
    const name = path.split('/').pop() || t('drive.top');
    const make = async () => {
        const made = await makeFolder(room, path);
        if (made) setPath(join(path, made));
        else setCount(count + 1);
    };
    return html`
        <${Dialog} title=${t('drive.move.title', { n: nodes.length })} close=${() => close()} class="drive-chooser" footer=${html`
            <button type="button" class="button quiet" onClick=${make}><${Icon} name="plus" />${t('drive.folder.new')}</button>
            <span class="grow"></span>
            <button type="button" class="button primary" disabled=${nodes.every((node) => parentOf(node.path) === path)} onClick=${() => close(path)}>${t('drive.move.here')}</button>
        `}>
            <div class="row drive-chooser-head">
                <button type="button" class="icon-button" aria-label=${t('drive.up')} disabled=${path === ''} onClick=${() => setPath(parentOf(path))}><${Icon} name="back" /></button>
                <strong class="one-line" aria-live="polite">${name}</strong>
            </div>
            ${!folders ? html`<${Spinner} label=${t('shell.loading')} />`
                : folders.length === 0 ? html`<p class="soft">${t('drive.move.none')}</p>`
                : html`<ul class="drive-folders">${folders.slice(0, 300).map((folder) => html`
                    <li key=${folder.id}><button type="button" class="drive-folder inset-focus" onClick=${() => setPath(folder.path)}><${Icon} name="drive" /><span class="grow one-line">${folder.name}</span><${Icon} name="chevron" class="soft" /></button></li>`)}</ul>`}
        <//>
    `;
}
