// How much of the server's room is one's own, in which drives it is, and how it is kept.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { Progress, Spinner } from '../../parts/progress.js';
import { message } from '../../parts/problem.js';
import { VirtualList } from '../../parts/virtual.js';
import { to } from '../../router.js';
import { me } from '../../session.js';
import { contacts, rooms } from '../../store/index.js';

/** @typedef {import('../../types').Drive} Drive */

/** Drives that are asked for at once. */
const AT_ONCE = 6;

/** The drives of these rooms, the fullest first. @param {string[]} mine @param {AbortSignal} signal */
async function readDrives(mine, signal) {
    /** @type {Drive[]} */
    let drives = [];
    for (let from = 0; from < mine.length; from += AT_ONCE) {
        drives = [...drives, ...(await Promise.all(mine.slice(from, from + AT_ONCE).map((room) => api.get(`/rooms/${room}/drive`, undefined, signal))))];
    }
    return drives.sort((a, b) => b.used_bytes - a.used_bytes);
}

export function Storage() {
    const [drives, setDrives] = useState(/** @type {Drive[] | null} */ (null));
    const [problem, setProblem] = useState('');
    const mine = [...rooms.value.values()].filter((room) => room.owner === me.value?.id).map((room) => room.id).sort();
    const hasList = mine.includes(me.value?.home ?? '');
    useEffect(() => {
        if (!hasList) return undefined;
        const stop = new AbortController();
        readDrives(mine, stop.signal).then(setDrives, (error) => !stop.signal.aborted && setProblem(message(error)));
        return () => stop.abort();
    }, [hasList, mine.join()]);
    if (problem) return html`<p class="notice bad settings-storage-head" role="alert">${problem}</p>`;
    if (!drives) return html`<div class="empty"><${Spinner} label=${t('shell.loading')} /></div>`;
    const home = drives.find((drive) => drive.room === me.value?.home);
    const used = home?.owner_used_bytes ?? 0;
    const quota = home?.quota_bytes ?? 0;
    return html`
        <div class="settings-storage-head">
            <p>${t('settings.storage.used', { used: size(used), all: size(quota) })}</p>
            <${Progress} value=${used} max=${quota} label=${t('settings.storage')} />
            <p class="soft small">${t('settings.storage.text')}${home && ` ${t('settings.storage.kept', { revisions: home.retention.revision_days, trash: home.retention.trash_days })}`}</p>
        </div>
        <${VirtualList} class="settings-drives" role="list" aria-label=${t('settings.storage.drives')} count=${drives.length} guess=${56}
            keyOf=${(/** @type {number} */ index) => drives[index].room}
            render=${(/** @type {number} */ index) => html`<${Row} drive=${drives[index]} index=${index} count=${drives.length} />`} />
    `;
}

/** @param {import('../../types').Room | undefined} room */
function nameOf(room) {
    if (room?.kind === 'group') return room.name;
    if (room?.kind === 'direct') return contacts.value.get(room.peer?.id ?? '')?.remark || (room.peer?.nickname ?? '');
    return t('settings.storage.own');
}

/** @param {{ drive: Drive, index: number, count: number }} props */
function Row({ drive, index, count }) {
    const room = rooms.value.get(drive.room);
    const name = nameOf(room);
    return html`
        <div class="section-row settings-drive" role="listitem" aria-posinset=${index + 1} aria-setsize=${count}>
            <a class="grow" href=${to('drive', drive.room)}><bdi>${name}</bdi></a><span class="soft">${size(drive.used_bytes)}</span>
        </div>
    `;
}
