// A node in a list: as a row, or as a tile.

import { html, useLayoutEffect, useRef, useState } from '../../html.js';
import { dateAndTime, shortTime, size, t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { parentOf } from './address.js';
import { rename, thumbnailUrl } from './deeds.js';
import { dragged } from './drop.js';
import { kindOf, stemLength } from './kinds.js';
import { timeOf } from './model.js';

/** @typedef {import('../../types').Node} Node */
/** @typedef {{ nodes: import('./model.js').Nodes, node: Node, index: number, screen: string, canDrag: boolean, deeds: import('./nodes.js').Deeds }} Props */

/** @type {Record<import('./kinds.js').Kind, import('../../parts/icon.js').IconName>} */
const ICONS = {
    folder: 'drive', link: 'link', image: 'image', video: 'play', audio: 'bell', pdf: 'journal', markdown: 'edit', table: 'grid', code: 'columns', text: 'list', archive: 'archive', file: 'file',
};

/** A node's picture: its thumbnail where it is an image, else the sign of its kind. @param {{ room: string, node: Node, size: number }} props */
export function Picture({ room, node, size: wanted }) {
    const [failed, setFailed] = useState(0);
    const kind = kindOf(node);
    const isImage = kind === 'image' && failed !== node.revision && !/\.(svg|ico|bmp|avif)$/i.test(node.name);
    return html`<span class=${`drive-picture is-${kind} ${isImage ? 'has-image' : ''}`} aria-hidden="true">
        ${isImage ? html`<img src=${thumbnailUrl(room, node, wanted)} alt="" loading="lazy" decoding="async" draggable=${false} onError=${() => setFailed(node.revision)} />` : html`<${Icon} name=${ICONS[kind]} />`}
    </span>`;
}

/** What a screen reader says of a node. @param {Node} node */
function labelOf(node) {
    const parts = [node.name, t(`drive.kind.${kindOf(node)}`)];
    if (node.kind === 'file') parts.push(size(node.bytes));
    parts.push(shortTime(timeOf(node)), ...(node.tags ?? []).map((tag) => `#${tag}`));
    return parts.join(', ');
}

/** What both forms have in common. @param {Props} props */
function common({ nodes, node, index, canDrag }) {
    const isSelected = nodes.selected.value.has(node.id);
    const isActive = nodes.active.value === node.id;
    return {
        id: `node-${node.id}`,
        'data-node': node.id,
        'aria-selected': String(isSelected),
        'aria-label': labelOf(node),
        class: `${isSelected ? 'is-selected' : ''} ${isActive ? 'is-active' : ''} ${node.kind === 'folder' ? 'is-folder' : ''}`,
        draggable: canDrag && nodes.renaming.value !== node.id,
        onDragStart(/** @type {DragEvent} */ event) {
            if (!nodes.selected.peek().has(node.id)) nodes.choose(node.id);
            dragged.value = { room: nodes.room, nodes: nodes.chosen.peek() };
            event.dataTransfer?.setData('text/plain', nodes.chosen.peek().map((chosen) => chosen.name).join('\n'));
            if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
        },
        onDragEnd() {
            dragged.value = null;
        },
        index,
    };
}

/** The name, or a field to change it in. @param {{ nodes: import('./model.js').Nodes, node: Node }} props */
function Name({ nodes, node }) {
    if (nodes.renaming.value !== node.id) return html`<span class="drive-name one-line" data-name>${node.name}</span>`;
    return html`<${Field} nodes=${nodes} node=${node} />`;
}

/** @param {{ nodes: import('./model.js').Nodes, node: Node }} props */
function Field({ nodes, node }) {
    const ref = useRef(/** @type {HTMLInputElement | null} */ (null));
    const isOver = useRef(false);
    useLayoutEffect(() => {
        ref.current?.focus();
        ref.current?.setSelectionRange(0, stemLength(node));
    }, []);
    const end = async (/** @type {string | null} */ name) => {
        if (isOver.current) return;
        isOver.current = true;
        const grid = /** @type {HTMLElement | null | undefined} */ (ref.current?.closest('[role=grid]'));
        nodes.renaming.value = null;
        grid?.focus();
        if (!name) return;
        await rename(nodes.room, node, name);
        await (nodes.path === null ? nodes.read() : nodes.follow());
    };
    const key = (/** @type {KeyboardEvent} */ event) => {
        event.stopPropagation();
        if (event.isComposing) return;
        if (event.key === 'Enter') void end(ref.current?.value.trim() ?? null);
        else if (event.key === 'Escape') void end(null);
        else return;
        event.preventDefault();
    };
    return html`<input class="input drive-rename" ref=${ref} defaultValue=${node.name} aria-label=${t('drive.name')} maxlength="255" spellcheck=${false} autocomplete="off" onKeyDown=${key} onBlur=${() => end(ref.current?.value.trim() ?? null)} />`;
}

const Check = () => html`<span class="drive-check" data-check aria-hidden="true"><${Icon} name="check" /></span>`;
const More = () => html`<span class="drive-more" data-more aria-hidden="true" title=${t('drive.actions')}><${Icon} name="more" /></span>`;

/** @param {Props} props */
export function Row(props) {
    const { nodes, node, screen } = props;
    const { class: state, index, ...attributes } = common(props);
    const when = screen === 'trash' ? (node.trashed_ms ?? node.changed_ms) : timeOf(node);
    const where = screen === 'files' ? '' : parentOf(node.path);
    return html`
        <div class=${`drive-row ${state}`} role="row" aria-rowindex=${index + 1} ...${attributes}>
            <div class="drive-cell is-name" role="gridcell">
                <${Check} />
                <${Picture} room=${nodes.room} node=${node} size=${96} />
                <span class="drive-names">
                    <${Name} nodes=${nodes} node=${node} />
                    <span class="drive-under small soft one-line">${where && html`<span>${where}</span>`}<span class="drive-narrow">${node.kind === 'file' ? `${size(node.bytes)} · ` : ''}${shortTime(when)}</span></span>
                </span>
                ${(node.tags ?? []).slice(0, 3).map((tag) => html`<span class="drive-tag">${tag}</span>`)}
            </div>
            <div class="drive-cell is-time soft" role="gridcell" title=${dateAndTime(when)}>${shortTime(when)}</div>
            <div class="drive-cell is-size soft" role="gridcell">${node.kind === 'file' ? size(node.bytes) : ''}</div>
            <div class="drive-cell is-more" role="gridcell"><${More} /></div>
        </div>
    `;
}

/** @param {Props} props */
export function Tile(props) {
    const { nodes, node } = props;
    const { class: state, index: _, ...attributes } = common(props);
    return html`
        <div class=${`drive-tile ${state}`} role="gridcell" ...${attributes}>
            <${Picture} room=${nodes.room} node=${node} size=${320} />
            <span class="drive-tile-foot"><${Name} nodes=${nodes} node=${node} /><${More} /></span>
            <${Check} />
        </div>
    `;
}
