// What changed in a drive, the last change first, and who did it.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { day, isSameDay, size, t, timeOfDay } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { VirtualList } from '../../parts/virtual.js';
import { connections, drives } from '../../store/index.js';
import { who } from './details.js';

/** @typedef {import('../../types').Change} Change */

/** Changes that are shown at most. */
const SHOWN_MAX = 1000;

/** @type {Record<string, import('../../parts/icon.js').IconName>} */
const ICONS = { created: 'plus', updated: 'edit', moved: 'forward', removed: 'trash', restored: 'reply', purged: 'close', tagged: 'star' };

/** @param {{ room: string }} props */
export function Changes({ room }) {
    const [items, setItems] = useState(/** @type {Change[] | null} */ (null));
    const [error, setError] = useState(/** @type {unknown} */ (null));
    const position = drives.value.get(room);
    useEffect(() => {
        const stop = new AbortController();
        const read = async () => {
            const drive = await api.get(`/rooms/${room}/drive`, undefined, stop.signal);
            const page = await api.get(`/rooms/${room}/changes`, { after: Math.max(0, drive.position - SHOWN_MAX), limit: SHOWN_MAX }, stop.signal);
            setItems(page.items.reverse());
            setError(null);
        };
        read().catch((reason) => !stop.signal.aborted && setError(reason));
        return () => stop.abort();
    }, [room, position, connections.value]);
    if (error) return html`<div class="empty"><p>${message(error)}</p></div>`;
    if (!items) return html`<div class="empty"><${Spinner} label=${t('shell.loading')} /></div>`;
    if (items.length === 0) return html`<div class="empty"><${Icon} name="clock" class="drive-empty-sign" /><p>${t('drive.empty.changes')}</p></div>`;
    return html`
        <${VirtualList} class="drive-changes" count=${items.length} guess=${60} role="list" aria-label=${t('drive.changes')} tabindex="0"
            keyOf=${(/** @type {number} */ index) => items[index].position}
            render=${(/** @type {number} */ index) => html`<${Line} change=${items[index]} before=${items[index - 1]} />`} />
    `;
}

/** @param {{ change: Change, before?: Change }} props */
function Line({ change, before }) {
    return html`
        <div role="listitem">
            ${(!before || !isSameDay(before.at_ms, change.at_ms)) && html`<h3 class="drive-day">${day(change.at_ms)}</h3>`}
            <div class="drive-change">
                <span class=${`drive-change-sign is-${change.kind}`} aria-hidden="true"><${Icon} name=${ICONS[change.kind] ?? 'file'} /></span>
                <span class="grow"><span><strong>${who(change.account)}</strong> ${t(`drive.did.${change.kind}`)} <span class="drive-change-name">${change.name}</span></span>
                    <span class="small soft">${timeOfDay(change.at_ms)}${change.bytes !== undefined ? ` · ${size(change.bytes)}` : ''}</span></span>
            </div>
        </div>
    `;
}
