// Chooses a folder to move or copy nodes into, of this or another drive.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { t } from '../../lang/index.js';
import { Dialog, open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { fail } from '../../parts/notice.js';
import { Spinner } from '../../parts/progress.js';
import { me } from '../../session.js';
import { rooms } from '../../store/index.js';
import { roomName } from '../conversations/names.js';
import { join, parentOf } from './address.js';
import { makeFolder } from './deeds.js';

/** @typedef {import('../../types').Node} Node */

const FOLDERS_MAX = 10_000;

/**
 * Asks for a folder of this or another drive; where it is, or nothing.
 * @param {string} room @param {readonly Node[]} nodes what is to go there, and cannot go into itself @param {{ isCopy?: boolean }} [options]
 * @returns {Promise<{ room: string, path: string } | undefined>}
 */
export function chooseFolder(room, nodes, { isCopy = false } = {}) {
    return open(({ close }) => html`<${Chooser} from=${room} nodes=${nodes} isCopy=${isCopy} close=${close} />`);
}

/** The drives that can be written. */
function writable() {
    const others = [...rooms.peek().values()].filter((room) => room.kind !== 'personal' && room.can_write).map((room) => ({ id: room.id, name: roomName(room) }));
    return [{ id: me.peek()?.home ?? '', name: t('drive.mine') }, ...others.sort((a, b) => a.name.localeCompare(b.name))];
}

/** @param {{ from: string, nodes: readonly Node[], isCopy: boolean, close: (to?: { room: string, path: string }) => void }} props */
function Chooser({ from, nodes, isCopy, close }) {
    const [all] = useState(writable);
    const [room, setRoom] = useState(all.some(({ id }) => id === from) ? from : all[0].id);
    const [path, setPath] = useState(room === from ? parentOf(nodes[0]?.path ?? '') : '');
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
        <${Dialog} title=${t(isCopy ? 'drive.copy.title' : 'drive.move.title', { n: nodes.length })} close=${() => close()} class="drive-chooser" footer=${html`
            <button type="button" class="button quiet" onClick=${make}><${Icon} name="plus" />${t('drive.folder.new')}</button>
            <span class="grow"></span>
            <button type="button" class="button primary" disabled=${!isCopy && room === from && nodes.every((node) => parentOf(node.path) === path)} onClick=${() => close({ room, path })}>${t(isCopy ? 'drive.copy.here' : 'drive.move.here')}</button>
        `}>
            ${all.length > 1 && html`<div class="field"><label for="drive-chooser-room">${t('drive.places')}</label>
                <select class="input" id="drive-chooser-room" value=${room} onChange=${(/** @type {any} */ event) => { setRoom(event.currentTarget.value); setPath(''); }}>
                    ${all.map(({ id, name }) => html`<option value=${id}>${name}</option>`)}</select></div>`}
            ${!isCopy && room !== from && html`<p class="notice small">${t('drive.move.between')}</p>`}
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
