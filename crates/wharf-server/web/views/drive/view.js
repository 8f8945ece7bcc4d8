// The drives: a room's folders and files, its trash, what changed, and what was found.

import { html, useEffect, useLayoutEffect, useMemo, useRef } from '../../html.js';
import { t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { openMenu } from '../../parts/menu.js';
import { back, go, to } from '../../router.js';
import { me } from '../../session.js';
import { isNarrow } from '../../shell/shell.js';
import { connections, drives, rooms } from '../../store/index.js';
import { folderAddress, parentOf, screenAddress, shown } from './address.js';
import { Changes } from './changes.js';
import { driveName } from './list.js';
import { folderNodes, foundNodes, trashNodes } from './model.js';
import { NodeList } from './nodes.js';
import { Uploads } from './uploads.js';

export { List } from './list.js';

/** @param {{ place: import('../../router.js').Place }} props */
export function Main({ place }) {
    const { room, screen, path, name, tag } = shown(place);
    const known = rooms.value.get(room);
    const title = driveName(known);
    const canWrite = room === me.value?.home || (known?.can_write ?? false);
    useLayoutEffect(() => {
        if (place.path.length === 1 && !isNarrow.value && room) go(folderAddress(room, ''), { replace: true });
    }, [place.path.length === 1, room]);
    if (!room) return null;
    return html`
        <div class="drive">
            <header class="head drive-head">
                ${isNarrow.value && html`<button type="button" class="icon-button" aria-label=${t('do.back')} onClick=${() => back(path ? folderAddress(room, parentOf(path)) : to('drive'))}><${Icon} name="back" /></button>`}
                ${screen === 'files' ? html`<${Crumbs} room=${room} title=${title} path=${path} />` : html`<h2 class="one-line grow">${screenTitle(screen, title, { name, tag })}</h2>`}
                <${Search} key=${`${room} ${screen}`} room=${room} value=${name} />
                ${screen === 'files' && isNarrow.value && html`<button type="button" class="icon-button" aria-haspopup="menu" aria-expanded="false" aria-label=${t('do.more')} onClick=${(/** @type {MouseEvent} */ event) => openMenu(/** @type {Element} */ (event.currentTarget), [
                    { label: t('drive.changes'), icon: 'clock', run: () => go(screenAddress(room, 'changes')) },
                    { label: t('drive.trash'), icon: 'trash', run: () => go(screenAddress(room, 'trash')) },
                ])}><${Icon} name="more" /></button>`}
                ${screen === 'files' && !isNarrow.value && html`
                    <a class="icon-button" href=${screenAddress(room, 'changes')} aria-label=${t('drive.changes')} title=${t('drive.changes')}><${Icon} name="clock" /></a>
                    <a class="icon-button" href=${screenAddress(room, 'trash')} aria-label=${t('drive.trash')} title=${t('drive.trash')}><${Icon} name="trash" /></a>
                `}
            </header>
            ${screen === 'changes' ? html`<${Changes} key=${room} room=${room} />`
                : html`<${Listed} key=${`${room} ${screen} ${path} ${name} ${tag}`} room=${room} screen=${screen} path=${path} name=${name} tag=${tag} canWrite=${canWrite} />`}
            <${Uploads} />
        </div>
    `;
}

/** @param {string} screen @param {string} title @param {{ name: string, tag: string }} query */
function screenTitle(screen, title, { name, tag }) {
    if (screen === 'trash') return t('drive.trash.of', { name: title });
    if (screen === 'changes') return t('drive.changes.of', { name: title });
    return tag ? t('drive.find.tag', { tag }) : t('drive.find.name', { name });
}

/** @param {{ room: string, screen: string, path: string, name: string, tag: string, canWrite: boolean }} props */
function Listed({ room, screen, path, name, tag, canWrite }) {
    const nodes = useMemo(() => (screen === 'trash' ? trashNodes(room) : screen === 'find' ? foundNodes(room, { name, tag }) : folderNodes(room, path)), []);
    const position = drives.value.get(room);
    useEffect(() => {
        void nodes.read();
        return () => nodes.close();
    }, []);
    const isFirst = useRef(true);
    useEffect(() => {
        // What was changed without a connection is not told when it is back: then it is asked for.
        if (!isFirst.current) void (screen === 'files' && !nodes.error.peek() ? nodes.follow() : nodes.read());
        isFirst.current = false;
    }, [position, connections.value]);
    return html`<${NodeList} nodes=${nodes} screen=${screen} canWrite=${canWrite} />`;
}

/** The way from the top down to a folder. Nodes can be dropped on each part of it. @param {{ room: string, title: string, path: string }} props */
function Crumbs({ room, title, path }) {
    const parts = path.split('/').filter(Boolean);
    return html`
        <nav class="drive-crumbs grow" aria-label=${t('drive.crumbs')}>
            <ol>
                <li><a class="drive-crumb one-line" href=${folderAddress(room, '')} data-drop="" aria-current=${parts.length === 0 ? 'page' : undefined}>${title}</a></li>
                ${parts.map((part, index) => {
                    const at = parts.slice(0, index + 1).join('/');
                    const isHere = index === parts.length - 1;
                    return html`<li><${Icon} name="chevron" class="drive-crumb-sign" /><a class="drive-crumb one-line" href=${folderAddress(room, at)} data-drop=${at} aria-current=${isHere ? 'page' : undefined}>${part}</a></li>`;
                })}
            </ol>
        </nav>
    `;
}

/** @param {{ room: string, value: string }} props */
function Search({ room, value }) {
    const submit = (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const name = String(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)).get('name')).trim();
        go(name ? screenAddress(room, 'find', { name }) : folderAddress(room, ''));
    };
    return html`
        <form role="search" class="drive-search" onSubmit=${submit}>
            <label class="search-box"><${Icon} name="search" /><span class="sr-only">${t('drive.search')}</span>
                <input type="search" name="name" placeholder=${t('do.search')} defaultValue=${value} autocomplete="off" /></label>
        </form>
    `;
}
