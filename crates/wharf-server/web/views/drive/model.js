// A folder, or another list of nodes, as it is shown: what is in it, in which order, and what is selected.

import * as api from '../../api.js';
import { batch, computed, signal } from '../../html.js';
import { language } from '../../lang/index.js';
import { spaceLeft } from '../../transfer/space.js';
import { kindOf } from './kinds.js';

/** @typedef {import('../../types').Node} Node */
/** @typedef {'name' | 'time' | 'size' | 'kind'} Order */
/** @typedef {{ order: Order, isDown: boolean, isGrid: boolean }} Look */

const FIRST_PAGE = 300;
const PAGE = 10_000;
/** Changes that are followed one by one; more, and the folder is read again. */
const CHANGES_MAX = 50;
const STORED = 'wharf-drive';

/** @returns {Look} */
function storedLook() {
    try {
        return { order: 'name', isDown: false, isGrid: false, ...JSON.parse(localStorage.getItem(STORED) ?? '{}') };
    } catch {
        return { order: 'name', isDown: false, isGrid: false };
    }
}

/** How lists look; kept in this browser. */
export const look = signal(storedLook());

/** @param {Partial<Look>} change */
export function setLook(change) {
    look.value = { ...look.value, ...change };
    localStorage.setItem(STORED, JSON.stringify(look.value));
}

/** When a node was changed. @param {Node} node */
export const timeOf = (node) => (node.mtime_ns !== undefined && node.mtime_ns !== null ? Math.floor(node.mtime_ns / 1e6) : node.changed_ms);

/** @param {readonly Node[]} nodes @param {Look} how @returns {Node[]} folders first, then by what was chosen, then by name */
export function sorted(nodes, { order, isDown }) {
    const collator = new Intl.Collator(language.value, { numeric: true, sensitivity: 'base' });
    const byName = (/** @type {Node} */ a, /** @type {Node} */ b) => collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
    const by = {
        name: byName,
        time: (/** @type {Node} */ a, /** @type {Node} */ b) => timeOf(a) - timeOf(b),
        size: (/** @type {Node} */ a, /** @type {Node} */ b) => a.bytes - b.bytes,
        kind: (/** @type {Node} */ a, /** @type {Node} */ b) => kindOf(a).localeCompare(kindOf(b)),
    }[order];
    const way = isDown ? -1 : 1;
    return [...nodes].sort((a, b) => Number(b.kind === 'folder') - Number(a.kind === 'folder') || by(a, b) * way || byName(a, b));
}

/** Where nodes come from: a page of them, after what the page before gave. @typedef {(after: string | undefined, limit: number, signal: AbortSignal) => Promise<import('../../types').NodePage>} Source */

/** A list of nodes, and what is selected in it. */
export class Nodes {
    /** @param {string} room @param {string | null} path of a folder; null for another list @param {Source} source */
    constructor(room, path, source) {
        this.room = room;
        this.path = path;
        this.source = source;
        /** The folder itself. @type {import('../../vendor/signals.js').Signal<Node | null>} */
        this.folder = signal(null);
        /** @type {import('../../vendor/signals.js').Signal<readonly Node[]>} */
        this.all = signal([]);
        this.isWhole = signal(false);
        /** What the owner's quota leaves; null where it is not known. @type {import('../../vendor/signals.js').Signal<number | null>} */
        this.leftBytes = signal(null);
        /** @type {import('../../vendor/signals.js').Signal<unknown>} */
        this.error = signal(null);
        /** @type {import('../../vendor/signals.js').Signal<ReadonlySet<string>>} */
        this.selected = signal(new Set());
        /** The node that the keys move from. @type {import('../../vendor/signals.js').Signal<string | null>} */
        this.active = signal(null);
        /** Where a range of a selection begins. @type {string | null} */
        this.anchor = null;
        /** The node whose name is being changed. @type {import('../../vendor/signals.js').Signal<string | null>} */
        this.renaming = signal(null);
        /** The nodes in their order. */
        this.shown = computed(() => sorted(this.all.value, look.value));
        this.indexes = computed(() => new Map(this.shown.value.map((node, index) => [node.id, index])));
        this.chosen = computed(() => this.shown.value.filter((node) => this.selected.value.has(node.id)));
        this.reading = new AbortController();
        this.position = 0;
        /** Whether something has changed that was not taken over. */
        this.isBehind = false;
        /** @type {Promise<void> | null} */
        this.following = null;
    }

    /** Reads everything; what is there is shown as it comes, unless something is shown already. */
    async read() {
        this.reading.abort();
        this.reading = new AbortController();
        const { signal: stop } = this.reading;
        try {
            if (this.path !== null) {
                const [drive, folder] = await Promise.all([
                    api.get(`/rooms/${this.room}/drive`, undefined, stop),
                    api.get(`/rooms/${this.room}/node`, { path: this.path }, stop),
                ]);
                this.position = drive.position;
                this.leftBytes.value = Math.max(0, drive.quota_bytes - drive.owner_used_bytes);
                this.folder.value = folder;
            }
            const isFirst = this.all.peek().length === 0;
            /** @type {Node[]} */
            let nodes = [];
            /** @type {string | undefined} */
            let after;
            do {
                const page = await this.source(after, after === undefined ? FIRST_PAGE : PAGE, stop);
                nodes = nodes.concat(page.items);
                after = page.next;
                if (isFirst && after) this.all.value = nodes;
            } while (after !== undefined && after !== null);
            batch(() => {
                this.put(nodes);
                this.isWhole.value = true;
                this.error.value = null;
            });
            // What changed while this was read.
            if (this.isBehind) void this.follow();
        } catch (error) {
            if (!stop.aborted) this.error.value = error;
        }
    }

    /** Takes other nodes; what is gone is selected no more. @param {readonly Node[]} nodes */
    put(nodes) {
        const ids = new Set(nodes.map((node) => node.id));
        this.all.value = nodes;
        const kept = [...this.selected.peek()].filter((id) => ids.has(id));
        if (kept.length !== this.selected.peek().size) this.selected.value = new Set(kept);
        if (this.active.peek() && !ids.has(/** @type {string} */ (this.active.peek()))) this.active.value = null;
    }

    /** Takes over what was changed since, and what changes while that is under way. */
    follow() {
        this.isBehind = true;
        this.following ??= this.catchUp();
        return this.following;
    }

    /** One round after the other: of two at a time, the one that ends last could be the one that knows less. */
    async catchUp() {
        // It is known as the one under way before it can end.
        await null;
        try {
            while (this.isBehind && this.isWhole.peek() && !this.reading.signal.aborted) {
                this.isBehind = false;
                if (!(await this.followOnce())) {
                    this.isBehind = true;
                    return;
                }
            }
        } finally {
            // Together with the last look at `isBehind`: what is said after it begins another one.
            this.following = null;
        }
    }

    /** Whether everything that had changed is here now. */
    async followOnce() {
        if (this.path === null) return true;
        const { signal: stop } = this.reading;
        try {
            const changes = await api.get(`/rooms/${this.room}/changes`, { after: this.position, limit: CHANGES_MAX }, stop);
            if (changes.head === this.position) return true;
            const folder = this.folder.peek();
            if (changes.head - this.position > changes.items.length || !folder) {
                await this.read();
                return true;
            }
            const nodes = new Map(this.all.peek().map((node) => [node.id, node]));
            /** @type {Set<string>} */
            const touched = new Set();
            for (const change of changes.items) {
                if (change.node === folder.id && change.kind !== 'created') {
                    await this.read();
                    return true;
                }
                if (nodes.has(change.node) || change.parent === folder.id) touched.add(change.node);
            }
            for (const id of touched) {
                const node = await api.get(`/rooms/${this.room}/node`, { id }, stop).catch(gone);
                if (node && node.parent === folder.id && !node.trashed_ms) nodes.set(id, node);
                else nodes.delete(id);
            }
            if (stop.aborted) return true;
            this.position = changes.head;
            this.put([...nodes.values()]);
            this.leftBytes.value = await spaceLeft(this.room, stop);
            return true;
        } catch (error) {
            if (!stop.aborted) console.warn('a folder was not followed', error);
            return false;
        }
    }

    close() {
        this.reading.abort();
    }

    /** @param {string} id */
    node(id) {
        const index = this.indexes.value.get(id);
        return index === undefined ? undefined : this.shown.value[index];
    }

    /** Selects one alone. @param {string} id */
    choose(id) {
        batch(() => {
            this.selected.value = new Set([id]);
            this.active.value = id;
            this.anchor = id;
        });
    }

    /** Selects one more, or one less. @param {string} id */
    toggle(id) {
        const next = new Set(this.selected.peek());
        if (!next.delete(id)) next.add(id);
        batch(() => {
            this.selected.value = next;
            this.active.value = id;
            this.anchor = id;
        });
    }

    /** Selects from the anchor to here. @param {string} id @param {{ isMore?: boolean }} [options] */
    range(id, { isMore = false } = {}) {
        const from = this.indexes.value.get(this.anchor ?? id) ?? 0;
        const to = this.indexes.value.get(id) ?? 0;
        const ids = this.shown.value.slice(Math.min(from, to), Math.max(from, to) + 1).map((node) => node.id);
        batch(() => {
            this.selected.value = new Set(isMore ? [...this.selected.peek(), ...ids] : ids);
            this.active.value = id;
        });
    }

    chooseAll() {
        this.selected.value = new Set(this.all.value.map((node) => node.id));
    }

    clear() {
        this.selected.value = new Set();
        this.anchor = this.active.peek();
    }
}

/** @param {unknown} error */
function gone(error) {
    if (error instanceof api.ApiError && error.code === 'not_found') return null;
    throw error;
}

/** A folder. @param {string} room @param {string} path */
export const folderNodes = (room, path) => new Nodes(room, path, (after, limit, stop) => api.get(`/rooms/${room}/list`, { path, after, limit }, stop));
/** The trash. @param {string} room */
export const trashNodes = (room) => new Nodes(room, null, (after, limit, stop) => api.get(`/rooms/${room}/trash`, { after, limit }, stop));
/** What has such a name or tag. @param {string} room @param {{ name?: string, tag?: string }} query */
export const foundNodes = (room, { name, tag }) => new Nodes(room, null, (after, limit, stop) => api.get(`/rooms/${room}/find`, { name: name || undefined, tag: tag || undefined, after, limit }, stop));
