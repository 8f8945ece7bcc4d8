// A list of nodes: rows or tiles, selected with the mouse, the keyboard or a finger; what is done to them; and files that are dropped on them.

import { html, useEffect, useRef, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { openMenu } from '../../parts/menu.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { VirtualList } from '../../parts/virtual.js';
import { go } from '../../router.js';
import { useKeys } from '../../shell/keys.js';
import { folderAddress } from './address.js';
import { copy, moveBetween } from './between.js';
import { add, chosenFiles } from './chosen.js';
import { download, makeFolder, move, purge, remove, restore } from './deeds.js';
import { showDetails } from './details.js';
import { useDrop, usePaste } from './drop.js';
import { chooseFolder } from './folders.js';
import { isViewable } from './kinds.js';
import { look, setLook } from './model.js';
import { Row, Tile } from './row.js';
import { view } from './viewer.js';

/** @typedef {import('../../types').Node} Node */
/** @typedef {import('./model.js').Nodes} Nodes */

const TILE_PX = 168;
const ROW_PX = 49;
/** How long a finger rests on a row to select it. */
const PRESS_MS = 450;
/** Letters that come so soon after one another are one word. */
const WORD_MS = 800;

/** What can be done in a list. @param {Nodes} nodes @param {string} screen @param {boolean} canWrite */
function deedsOf(nodes, screen, canWrite) {
    const { room } = nodes;
    const isTrash = screen === 'trash';
    const again = async (/** @type {Promise<unknown>} */ deed) => {
        await deed;
        if (nodes.path === null) await nodes.read();
        else await nodes.follow();
    };
    return {
        open(/** @type {Node} */ node) {
            if (isTrash) void showDetails(nodes, node, { isTrash });
            else if (node.kind === 'folder') go(folderAddress(room, node.path));
            else if (isViewable(node)) void view(nodes, node);
            else download(room, [node]);
        },
        download: (/** @type {readonly Node[]} */ chosen) => download(room, chosen),
        async move(/** @type {readonly Node[]} */ chosen) {
            const to = await chooseFolder(room, chosen);
            if (to) await again(to.room === room ? move(room, chosen, to.path) : moveBetween(room, chosen, to));
        },
        async copy(/** @type {readonly Node[]} */ chosen) {
            const to = await chooseFolder(room, chosen, { isCopy: true });
            if (to) await again(copy(room, chosen, to));
        },
        rename(/** @type {Node} */ node) {
            nodes.renaming.value = node.id;
        },
        remove: (/** @type {readonly Node[]} */ chosen) => again(remove(room, chosen)),
        restore: (/** @type {readonly Node[]} */ chosen) => again(restore(room, chosen)),
        purge: (/** @type {readonly Node[]} */ chosen) => again(purge(room, chosen)),
        details: (/** @type {Node} */ node) => void showDetails(nodes, node, { isTrash, canWrite }),
        async makeFolder() {
            const name = await makeFolder(room, nodes.path ?? '');
            if (!name) return;
            await nodes.follow();
            const made = nodes.all.peek().find((node) => node.name === name);
            if (made) nodes.choose(made.id);
        },
        /** Where a click with the right button, or the key for menus, leads to. @param {Element | { x: number, y: number }} at */
        menu(at) {
            const chosen = nodes.chosen.peek();
            const [one] = chosen;
            if (!one) return;
            const isOne = chosen.length === 1;
            openMenu(at, isTrash ? [
                canWrite && { label: t('drive.restore'), icon: 'reply', run: () => this.restore(chosen) },
                isOne && { label: t('drive.details'), icon: 'info', run: () => this.details(one) },
                canWrite && { label: t('drive.purge'), icon: 'trash', isDanger: true, run: () => this.purge(chosen) },
            ] : [
                isOne && { label: t('drive.open'), icon: one.kind === 'folder' ? 'drive' : 'eye', run: () => this.open(one) },
                { label: t('drive.download'), icon: 'download', run: () => this.download(chosen) },
                isOne && canWrite && { label: t('drive.rename'), icon: 'edit', run: () => this.rename(one) },
                canWrite && { label: t('drive.move'), icon: 'forward', run: () => this.move(chosen) },
                { label: t('drive.copy'), icon: 'copy', run: () => this.copy(chosen) },
                isOne && { label: t('drive.details'), icon: 'info', run: () => this.details(one) },
                canWrite && { label: t('drive.remove'), icon: 'trash', isDanger: true, run: () => this.remove(chosen) },
            ], { label: t('drive.actions') });
        },
    };
}

/** @typedef {ReturnType<typeof deedsOf>} Deeds */

/** @param {{ nodes: Nodes, screen: 'files' | 'trash' | 'find', canWrite: boolean }} props */
export function NodeList({ nodes, screen, canWrite }) {
    const shown = nodes.shown.value;
    const { isGrid } = look.value;
    const deeds = deedsOf(nodes, screen, canWrite);
    const [columns, setColumns] = useState(4);
    const area = useRef(/** @type {HTMLElement | null} */ (null));
    const handle = useRef(/** @type {import('../../parts/virtual.js').Handle | null} */ (null));
    const perRow = isGrid ? columns : 1;
    useEffect(() => {
        const element = area.current;
        if (!element) return undefined;
        const resized = new ResizeObserver(() => setColumns(Math.max(2, Math.floor((element.clientWidth - 24) / TILE_PX))));
        resized.observe(element);
        return () => resized.disconnect();
    }, []);
    useKeys(KEYS);
    const drop = useDrop(nodes, screen === 'files' && canWrite);
    usePaste(nodes, screen === 'files' && canWrite);
    const isChosen = nodes.selected.value.size > 0;
    const key = keysOf(nodes, deeds, { perRow, handle, canWrite, screen });
    const press = usePress(nodes, deeds);
    const active = nodes.active.value;
    const item = (/** @type {Node} */ node, /** @type {number} */ index) => html`
        <${isGrid ? Tile : Row} key=${node.id} nodes=${nodes} node=${node} index=${index} screen=${screen} canDrag=${canWrite && screen === 'files'} deeds=${deeds} />
    `;
    return html`
        ${isChosen ? html`<${Chosen} nodes=${nodes} deeds=${deeds} screen=${screen} canWrite=${canWrite} />`
            : html`<${Tools} nodes=${nodes} deeds=${deeds} screen=${screen} canWrite=${canWrite} />`}
        <div class=${`drive-area ${drop.isOver ? 'is-over' : ''}`} ref=${area} ...${drop.handlers}>
            ${nodes.error.value ? html`<div class="empty"><p>${message(nodes.error.value)}</p><button type="button" class="button" onClick=${() => nodes.read()}>${t('do.retry')}</button></div>`
                : shown.length === 0 ? html`<${Nothing} screen=${screen} isWhole=${nodes.isWhole.value} canWrite=${canWrite} deeds=${deeds} nodes=${nodes} />`
                : html`
                    ${!isGrid && html`<${Columns} screen=${screen} />`}
                    <${VirtualList} key=${isGrid ? 'grid' : 'list'} class=${isGrid ? 'drive-grid' : 'drive-rows'} count=${Math.ceil(shown.length / perRow)} guess=${isGrid ? 190 : ROW_PX} handle=${handle}
                        role="grid" aria-multiselectable="true" aria-rowcount=${Math.ceil(shown.length / perRow)} aria-label=${t(`drive.list.${screen}`)} tabindex="0"
                        aria-activedescendant=${active ? `node-${active}` : undefined}
                        onKeyDown=${key} onFocus=${() => { if (!nodes.active.peek() && shown[0]) nodes.active.value = shown[0].id; }} ...${press}
                        keyOf=${(/** @type {number} */ index) => (isGrid ? `${perRow} ${index}` : shown[index].id)}
                        render=${(/** @type {number} */ index) => (isGrid
                            ? html`<div class="drive-tiles" role="row" aria-rowindex=${index + 1} style=${{ gridTemplateColumns: `repeat(${perRow}, minmax(0, 1fr))` }}>${shown.slice(index * perRow, (index + 1) * perRow).map((node, at) => item(node, index * perRow + at))}</div>`
                            : item(shown[index], index))} />
                `}
            ${drop.isOver && html`<div class="drive-over" aria-hidden="true"><${Icon} name="upload" /><span>${t('drive.drop', { name: drop.target || t('drive.here') })}</span></div>`}
        </div>
        <div class="sr-only" role="status">${isChosen ? t('drive.chosen', { n: nodes.selected.value.size }) : nodes.isWhole.value ? t('drive.count', { n: shown.length }) : ''}</div>
    `;
}

/** @param {{ screen: string, isWhole: boolean, canWrite: boolean, deeds: Deeds, nodes: Nodes }} props */
function Nothing({ screen, isWhole, canWrite, nodes }) {
    if (!isWhole) return html`<div class="empty"><${Spinner} label=${t('shell.loading')} /></div>`;
    return html`
        <div class="empty">
            <${Icon} name=${screen === 'trash' ? 'trash' : screen === 'find' ? 'search' : 'drive'} class="drive-empty-sign" />
            <p>${t(`drive.empty.${screen}`)}</p>
            ${screen === 'files' && canWrite && html`<${UploadButton} nodes=${nodes} />`}
        </div>
    `;
}

/** A button that asks the system for files. @param {{ nodes: Nodes }} props */
function UploadButton({ nodes }) {
    const input = useRef(/** @type {HTMLInputElement | null} */ (null));
    return html`
        <input type="file" multiple hidden ref=${input} onChange=${(/** @type {any} */ event) => { void add(nodes.room, nodes.path ?? '', chosenFiles(event.currentTarget.files)); event.currentTarget.value = ''; }} />
        <button type="button" class="button primary" onClick=${() => input.current?.click()}><${Icon} name="upload" />${t('drive.upload')}</button>
    `;
}

/** What can be done to the folder. @param {{ nodes: Nodes, deeds: Deeds, screen: string, canWrite: boolean }} props */
function Tools({ nodes, deeds, screen, canWrite }) {
    const files = useRef(/** @type {HTMLInputElement | null} */ (null));
    const folder = useRef(/** @type {HTMLInputElement | null} */ (null));
    const { order, isDown } = look.value;
    const taken = (/** @type {any} */ event) => {
        void add(nodes.room, nodes.path ?? '', chosenFiles(event.currentTarget.files));
        event.currentTarget.value = '';
    };
    const make = (/** @type {MouseEvent} */ event) => openMenu(/** @type {Element} */ (event.currentTarget), [
        { label: t('drive.folder.new'), icon: 'drive', run: () => void deeds.makeFolder() },
        { label: t('drive.upload.files'), icon: 'upload', run: () => files.current?.click() },
        { label: t('drive.upload.folder'), icon: 'upload', run: () => folder.current?.click() },
    ]);
    const arrange = (/** @type {MouseEvent} */ event) => openMenu(/** @type {Element} */ (event.currentTarget), [
        .../** @type {const} */ (['name', 'time', 'size', 'kind']).map((name) => ({ label: t(`drive.by.${name}`), isChecked: order === name, run: () => setLook({ order: name }) })),
        { label: t('drive.by.down'), isChecked: isDown, run: () => setLook({ isDown: !isDown }) },
    ]);
    return html`
        <div class="drive-tools" role="toolbar" aria-label=${t('drive.tools')}>
            ${screen === 'files' && canWrite && html`
                <input type="file" multiple hidden ref=${files} onChange=${taken} />
                <input type="file" hidden webkitdirectory ref=${folder} onChange=${taken} />
                <button type="button" class="button primary" aria-haspopup="menu" aria-expanded="false" onClick=${make}><${Icon} name="plus" />${t('drive.new')}</button>
            `}
            ${screen === 'trash' && canWrite && nodes.all.value.length > 0 && html`<button type="button" class="button danger" onClick=${() => deeds.purge(nodes.all.peek())}>${t('drive.trash.empty')}</button>`}
            <span class="grow small soft one-line drive-count">${nodes.isWhole.value && [t('drive.count', { n: nodes.all.value.length }), nodes.leftBytes.value === null ? '' : t('drive.left', { size: size(nodes.leftBytes.value) })].filter(Boolean).join(' · ')}</span>
            <button type="button" class="button quiet" aria-haspopup="menu" aria-expanded="false" aria-label=${`${t('drive.arrange')}: ${t(`drive.by.${order}`)}`} onClick=${arrange}><${Icon} name="list" /><span class="drive-order">${t(`drive.by.${order}`)}</span></button>
            <${Toggle} />
        </div>
    `;
}

/** Rows or tiles. */
function Toggle() {
    const { isGrid } = look.value;
    return html`<button type="button" class="icon-button" aria-pressed=${String(isGrid)} aria-label=${t('drive.grid')} title=${t('drive.grid')} onClick=${() => setLook({ isGrid: !isGrid })}><${Icon} name="grid" /></button>`;
}

/** What can be done to what is selected. @param {{ nodes: Nodes, deeds: Deeds, screen: string, canWrite: boolean }} props */
function Chosen({ nodes, deeds, screen, canWrite }) {
    const chosen = nodes.chosen.value;
    const [one] = chosen;
    const isOne = chosen.length === 1;
    const button = (/** @type {import('../../parts/icon.js').IconName} */ icon, /** @type {string} */ label, /** @type {() => void} */ run) => html`
        <button type="button" class="icon-button" aria-label=${label} title=${label} onClick=${run}><${Icon} name=${icon} /></button>`;
    return html`
        <div class="drive-tools is-chosen" role="toolbar" aria-label=${t('drive.actions')}>
            ${button('close', t('drive.choose.none'), () => nodes.clear())}
            <span class="grow one-line">${t('drive.chosen', { n: chosen.length })}</span>
            ${screen === 'trash' ? html`
                ${canWrite && button('reply', t('drive.restore'), () => deeds.restore(chosen))}
                ${canWrite && button('trash', t('drive.purge'), () => deeds.purge(chosen))}
            ` : html`
                ${button('download', t('drive.download'), () => deeds.download(chosen))}
                ${canWrite && button('forward', t('drive.move'), () => deeds.move(chosen))}
                ${isOne && canWrite && one && button('edit', t('drive.rename'), () => deeds.rename(one))}
                ${canWrite && button('trash', t('drive.remove'), () => deeds.remove(chosen))}
            `}
            ${isOne && one && button('info', t('drive.details'), () => deeds.details(one))}
            <${Toggle} />
        </div>
    `;
}

/** The heads of the columns, which sort. @param {{ screen: string }} props */
function Columns({ screen }) {
    const { order, isDown } = look.value;
    const head = (/** @type {import('./model.js').Order} */ name, /** @type {string} */ label) => html`
        <button type="button" class=${`drive-column is-${name} ${order === name ? 'is-on' : ''}`} aria-pressed=${String(order === name)}
            onClick=${() => setLook(order === name ? { isDown: !isDown } : { order: name, isDown: name !== 'name' })}>
            ${label}${order === name && html`<${Icon} name="chevron" class=${`drive-way ${isDown ? 'is-down' : ''}`} />`}
        </button>`;
    return html`<div class="drive-columns" role="group" aria-label=${t('drive.arrange')}>
        ${head('name', t('drive.by.name'))}${head('time', t(screen === 'trash' ? 'drive.trashed' : 'drive.by.time'))}${head('size', t('drive.by.size'))}
    </div>`;
}

const KEYS = {
    title: 'view.drive',
    keys: [
        { keys: 'Enter', text: 'drive.key.open' },
        { keys: 'Space', text: 'drive.key.choose' },
        { keys: 'Ctrl+A', text: 'drive.key.all' },
        { keys: 'F2', text: 'drive.rename' },
        { keys: 'Delete', text: 'drive.remove' },
        { keys: 'Backspace', text: 'drive.key.up' },
        { keys: 'Shift+F10', text: 'drive.actions' },
    ],
};

/** @param {Nodes} nodes @param {Deeds} deeds @param {{ perRow: number, handle: { current: import('../../parts/virtual.js').Handle | null }, canWrite: boolean, screen: string }} list */
function keysOf(nodes, deeds, { perRow, handle, canWrite, screen }) {
    const word = useRef({ text: '', at: 0 });
    const goTo = (/** @type {number} */ index, /** @type {KeyboardEvent} */ event) => {
        const all = nodes.shown.peek();
        const node = all[Math.max(0, Math.min(index, all.length - 1))];
        if (!node) return;
        if (event.shiftKey) nodes.range(node.id);
        else if (event.ctrlKey || event.metaKey) nodes.active.value = node.id;
        else nodes.choose(node.id);
        handle.current?.scrollTo(Math.floor((nodes.indexes.peek().get(node.id) ?? 0) / perRow));
    };
    return (/** @type {KeyboardEvent} */ event) => {
        if (event.target !== event.currentTarget) return;
        const all = nodes.shown.peek();
        const active = nodes.active.peek();
        const at = active ? (nodes.indexes.peek().get(active) ?? -1) : -1;
        const node = all[at];
        const seen = handle.current?.seen() ?? { first: 0, last: 10 };
        const page = Math.max(1, seen.last - seen.first - 1) * perRow;
        const steps = /** @type {Record<string, number>} */ ({ ArrowDown: at + perRow, ArrowUp: at - perRow, Home: 0, End: all.length - 1, PageDown: at + page, PageUp: at - page });
        if (perRow > 1) Object.assign(steps, { ArrowRight: at + 1, ArrowLeft: at - 1 });
        const isCtrl = event.ctrlKey || event.metaKey;
        const chosen = nodes.chosen.peek();
        const target = chosen.length > 0 ? chosen : node ? [node] : [];
        if (event.key in steps) goTo(steps[event.key], event);
        else if (event.key === 'Enter' && node) deeds.open(node);
        else if (event.key === ' ' && node) nodes.toggle(node.id);
        else if (event.key.toLowerCase() === 'a' && isCtrl) nodes.chooseAll();
        else if (event.key === 'F2' && node && canWrite && screen !== 'trash') deeds.rename(node);
        else if (event.key === 'Delete' && target.length > 0 && canWrite) void (screen === 'trash' ? deeds.purge(target) : deeds.remove(target));
        else if (event.key === 'Backspace' && nodes.path) go(folderAddress(nodes.room, nodes.path.split('/').slice(0, -1).join('/')));
        else if (event.key === 'Escape' && chosen.length > 0) nodes.clear();
        else if ((event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && node) {
            if (!nodes.selected.peek().has(node.id)) nodes.choose(node.id);
            deeds.menu(document.getElementById(`node-${node.id}`) ?? { x: 100, y: 100 });
        } else if (event.key.length === 1 && !isCtrl && !event.altKey) {
            const now = event.timeStamp;
            word.current = { text: (now - word.current.at < WORD_MS ? word.current.text : '') + event.key.toLocaleLowerCase(), at: now };
            const starts = (/** @type {Node} */ other) => other.name.toLocaleLowerCase().startsWith(word.current.text);
            const from = word.current.text.length > 1 ? at : at + 1;
            const found = all.findIndex((other, index) => index >= from && starts(other));
            const index = found >= 0 ? found : all.findIndex(starts);
            if (index < 0) return;
            goTo(index, event);
        } else return;
        event.preventDefault();
        event.stopPropagation();
    };
}

/** Clicks and fingers on nodes; a row says with `data-node` which it is. @param {Nodes} nodes @param {Deeds} deeds */
function usePress(nodes, deeds) {
    const timer = useRef(0);
    const isLong = useRef(false);
    const nodeAt = (/** @type {Event} */ event) => nodes.node(/** @type {Element} */ (event.target).closest('[data-node]')?.getAttribute('data-node') ?? '');
    return {
        onClick(/** @type {MouseEvent} */ event) {
            const node = nodeAt(event);
            if (!node) {
                nodes.clear();
                return;
            }
            const target = /** @type {Element} */ (event.target);
            if (target.closest('input')) return;
            if (isLong.current) {
                isLong.current = false;
                return;
            }
            if (target.closest('[data-more]')) {
                if (!nodes.selected.peek().has(node.id)) nodes.choose(node.id);
                deeds.menu(/** @type {Element} */ (target.closest('[data-more]')));
            } else if (target.closest('[data-check]') || event.ctrlKey || event.metaKey) nodes.toggle(node.id);
            else if (event.shiftKey) nodes.range(node.id);
            else if (/** @type {PointerEvent} */ (event).pointerType === 'touch') {
                if (nodes.selected.peek().size > 0) nodes.toggle(node.id);
                else deeds.open(node);
            } else if (target.closest('[data-name]')) deeds.open(node);
            else nodes.choose(node.id);
        },
        onDblClick(/** @type {MouseEvent} */ event) {
            const node = nodeAt(event);
            if (node && !(/** @type {Element} */ (event.target).closest('[data-check], [data-more], [data-name], input'))) deeds.open(node);
        },
        onContextMenu(/** @type {MouseEvent} */ event) {
            const node = nodeAt(event);
            if (!node) return;
            event.preventDefault();
            if (isLong.current) return;
            if (!nodes.selected.peek().has(node.id)) nodes.choose(node.id);
            deeds.menu({ x: event.clientX, y: event.clientY });
        },
        onTouchStart(/** @type {TouchEvent} */ event) {
            const node = nodeAt(event);
            clearTimeout(timer.current);
            if (!node || event.touches.length > 1) return;
            isLong.current = false;
            timer.current = window.setTimeout(() => {
                isLong.current = true;
                nodes.toggle(node.id);
            }, PRESS_MS);
        },
        onTouchMove: () => clearTimeout(timer.current),
        onTouchEnd: () => clearTimeout(timer.current),
    };
}
