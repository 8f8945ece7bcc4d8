// The places: the own drive, those of the rooms, and what there is to know of the one that is open.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { Avatar } from '../../parts/avatar.js';
import { Icon } from '../../parts/icon.js';
import { Progress } from '../../parts/progress.js';
import { me } from '../../session.js';
import { connections, drives, rooms } from '../../store/index.js';
import { roomName, roomPicture } from '../conversations/names.js';
import { folderAddress, screenAddress, shown } from './address.js';

/** @typedef {import('../../types').Room} Room */

/** What a room's drive is called. @param {Room | undefined} room */
export function driveName(room) {
    return !room || room.kind === 'personal' ? t('drive.mine') : roomName(room);
}

/** @param {{ place: import('../../router.js').Place }} props */
export function List({ place }) {
    const { room: open, screen } = shown(place);
    const others = [...rooms.value.values()]
        .filter((room) => room.kind !== 'personal' && !room.preferences.is_hidden)
        .sort((a, b) => roomName(a).localeCompare(roomName(b)));
    const home = me.value?.home ?? '';
    return html`
        <div class="head"><h2>${t('view.drive')}</h2></div>
        <nav class="drive-places scroll" aria-label=${t('drive.places')}>
            <ul>
                <${Place} href=${folderAddress(home, '')} label=${t('drive.mine')} room=${home} isOpen=${open === home && screen !== 'trash' && screen !== 'changes'}><${Icon} name="drive" /><//>
                <${Place} href=${screenAddress(home, 'changes')} label=${t('drive.changes')} isOpen=${open === home && screen === 'changes'}><${Icon} name="clock" /><//>
                <${Place} href=${screenAddress(home, 'trash')} label=${t('drive.trash')} isOpen=${open === home && screen === 'trash'}><${Icon} name="trash" /><//>
            </ul>
            ${others.length > 0 && html`<h3 class="drive-places-title">${t('drive.rooms')}</h3>`}
            <ul>
                ${others.map((room) => html`
                    <${Place} key=${room.id} href=${folderAddress(room.id, '')} label=${roomName(room)} room=${room.can_write ? room.id : undefined} isOpen=${open === room.id}>
                        <${Avatar} id=${roomPicture(room)} name=${roomName(room)} size="small" isRoom=${room.kind !== 'direct'} />
                    <//>
                `)}
            </ul>
        </nav>
        <${Quota} room=${home} />
    `;
}

/** @param {{ href: string, label: string, isOpen: boolean, room?: string, children?: any }} props `room` takes what is dropped on it */
function Place({ href, label, isOpen, room, children }) {
    return html`<li><a class="drive-place inset-focus" href=${href} data-drop-room=${room} aria-current=${isOpen ? 'page' : undefined}>${children}<span class="one-line grow">${label}</span></a></li>`;
}

/** What the account uses. @param {{ room: string }} props */
function Quota({ room }) {
    const [drive, setDrive] = useState(/** @type {import('../../types').Drive | null} */ (null));
    const position = drives.value.get(room);
    useEffect(() => {
        const stop = new AbortController();
        if (room) api.get(`/rooms/${room}/drive`, undefined, stop.signal).then(setDrive, () => {});
        return () => stop.abort();
    }, [room, position, connections.value]);
    if (!drive) return null;
    const text = t('drive.quota', { used: size(drive.owner_used_bytes), all: size(drive.quota_bytes) });
    return html`<div class="drive-quota small soft"><${Progress} value=${drive.owner_used_bytes} max=${drive.quota_bytes} label=${t('drive.quota.label')} /><span>${text}</span></div>`;
}
