// What is dropped on a list of nodes, or pasted into it: files from outside, and nodes of the page.

import { signal, useEffect, useState } from '../../html.js';
import { moveBetween } from './between.js';
import { add, filesOf } from './chosen.js';
import { move } from './deeds.js';

/** @typedef {import('../../types').Node} Node */
/** @typedef {import('./model.js').Nodes} Nodes */

/** The nodes that are being dragged within the page. */
export const dragged = signal(/** @type {{ room: string, nodes: readonly Node[] } | null} */ (null));

/** Files that are pasted go into the folder. @param {Nodes} nodes @param {boolean} isOn */
export function usePaste(nodes, isOn) {
    useEffect(() => {
        if (!isOn) return undefined;
        const paste = (/** @type {ClipboardEvent} */ event) => {
            const files = [...(event.clipboardData?.files ?? [])];
            if (files.length === 0 || document.querySelector('dialog[open]')) return;
            event.preventDefault();
            void add(nodes.room, nodes.path ?? '', files.map((file) => ({ path: file.name, file })));
        };
        addEventListener('paste', paste);
        return () => removeEventListener('paste', paste);
    }, [isOn]);
}

/** Files from outside, and nodes of the list, that are dropped on a folder or on the area. @param {Nodes} nodes @param {boolean} isOn */
export function useDrop(nodes, isOn) {
    const [target, setTarget] = useState(/** @type {string | null} */ (null));
    const folderAt = (/** @type {Event} */ event) => {
        const id = /** @type {Element} */ (event.target).closest?.('[data-node]')?.getAttribute('data-node');
        const node = id ? nodes.node(id) : undefined;
        return node?.kind === 'folder' ? node : undefined;
    };
    const isFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') ?? false;
    useEffect(() => {
        // The parts of the way down and the other drives take nodes, too; they are outside of the list.
        if (!isOn) return undefined;
        const over = (/** @type {DragEvent} */ event) => {
            if (dragged.peek() && /** @type {Element} */ (event.target).closest?.('[data-drop], [data-drop-room]')) event.preventDefault();
        };
        const drop = (/** @type {DragEvent} */ event) => {
            const place = /** @type {Element} */ (event.target).closest?.('[data-drop], [data-drop-room]');
            const from = dragged.peek();
            if (!place || !from) return;
            event.preventDefault();
            const to = { room: place.getAttribute('data-drop-room') ?? from.room, path: place.getAttribute('data-drop') ?? '' };
            void (to.room === from.room ? move(from.room, from.nodes, to.path) : moveBetween(from.room, from.nodes, to)).then(() => nodes.follow());
        };
        addEventListener('dragover', over);
        addEventListener('drop', drop);
        return () => {
            removeEventListener('dragover', over);
            removeEventListener('drop', drop);
        };
    }, [isOn]);
    if (!isOn) return { isOver: false, target: '', handlers: {} };
    return {
        isOver: target !== null,
        target: target ?? '',
        handlers: {
            onDragOver(/** @type {DragEvent} */ event) {
                const folder = folderAt(event);
                if (isFiles(event)) setTarget(folder?.name ?? '');
                else if (!dragged.peek() || !folder) return;
                event.preventDefault();
            },
            onDragLeave(/** @type {DragEvent} */ event) {
                const area = /** @type {Element} */ (event.currentTarget);
                if (!area.contains(/** @type {globalThis.Node | null} */ (event.relatedTarget))) setTarget(null);
            },
            async onDrop(/** @type {DragEvent} */ event) {
                const folder = folderAt(event);
                const from = dragged.peek();
                setTarget(null);
                if (isFiles(event) && event.dataTransfer) {
                    event.preventDefault();
                    const into = folder ? folder.path : (nodes.path ?? '');
                    await add(nodes.room, into, await filesOf(event.dataTransfer));
                } else if (from && folder) {
                    event.preventDefault();
                    await move(from.room, from.nodes, folder.path);
                    await nodes.follow();
                }
            },
        },
    };
}
