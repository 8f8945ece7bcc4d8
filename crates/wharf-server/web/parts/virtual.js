// A list of which only what can be seen is in the document. Rows have heights of their own, which are measured; what has not been
// measured is taken to be as high as the others are on average. What somebody looks at stays where it is when heights above it turn out to be others.
//
// The rows are 0 … count - 1. `render(index)` gives a row; `keyOf(index)` names it, so that its height stays with it when rows come or go above.

import { html, useEffect, useLayoutEffect, useRef, useState } from '../html.js';

/** Rows above and below what can be seen. */
const MARGIN_PX = 600;
/** How often a frame may be drawn again. */
const TURNS_MAX = 8;
/** How many frames in a row may need more than that. */
const LATE_FRAMES_MAX = 30;
/** The most rows in the document. */
const ROWS_MAX = 300;
/** How many rows are remembered of what is looked at, as the first of them may turn out to be none. */
const ANCHOR_ROWS = 40;

/**
 * Where each row is: sums of heights, in blocks, so that a change costs little in a list of any length.
 */
export class Heights {
    /** @param {number} guess */
    constructor(guess) {
        this.guess = guess;
        this.count = 0;
        /** Measured heights; NaN where there is none. */
        this.own = new Float64Array(0);
        /** The sum of each block. */
        this.blocks = new Float64Array(0);
    }

    static BLOCK = 256;

    /** @param {number} index */
    at(index) {
        const height = this.own[index];
        return Number.isNaN(height) ? this.guess : height;
    }

    /** @param {number} count @param {(index: number) => number} [measured] NaN where not */
    reset(count, measured = () => NaN) {
        this.count = count;
        this.own = new Float64Array(count);
        for (let index = 0; index < count; index += 1) this.own[index] = measured(index);
        this.sum();
    }

    sum() {
        const size = Heights.BLOCK;
        this.blocks = new Float64Array(Math.ceil(this.count / size));
        for (let index = 0; index < this.count; index += 1) this.blocks[Math.floor(index / size)] += this.at(index);
    }

    /** @param {number} index @param {number} height */
    set(index, height) {
        const change = height - this.at(index);
        this.own[index] = height;
        this.blocks[Math.floor(index / Heights.BLOCK)] += change;
        return change;
    }

    /** Where a row begins. @param {number} index */
    top(index) {
        const block = Math.floor(index / Heights.BLOCK);
        let top = 0;
        for (let before = 0; before < block; before += 1) top += this.blocks[before];
        for (let row = block * Heights.BLOCK; row < index; row += 1) top += this.at(row);
        return top;
    }

    total() {
        let total = 0;
        for (const block of this.blocks) total += block;
        return total;
    }

    /** The row at a place. @param {number} y */
    find(y) {
        let block = 0;
        let top = 0;
        while (block < this.blocks.length - 1 && top + this.blocks[block] <= y) {
            top += this.blocks[block];
            block += 1;
        }
        let index = block * Heights.BLOCK;
        while (index < this.count - 1 && top + this.at(index) <= y) {
            top += this.at(index);
            index += 1;
        }
        return index;
    }
}

/**
 * @typedef {object} Handle what a list can be told to do, in `handle.current`
 * @property {(index: number, where?: 'start' | 'center' | 'end' | 'nearest') => void} scrollTo
 * @property {() => void} toEnd
 * @property {() => boolean} isAtEnd
 * @property {() => { first: number, last: number }} seen the rows that can be seen
 */

/**
 * `isSettled` says whether what is at `start` has its height yet; until then the list keeps going there.
 * @param {{
 *   count: number, keyOf: (index: number) => string | number, render: (index: number) => any, guess?: number,
 *   class?: string, sticksToEnd?: boolean, handle?: { current: Handle | null }, onSeen?: (first: number, last: number) => void,
 *   start?: { index: number, where: 'start' | 'center' | 'end' }, isSettled?: boolean, [attribute: string]: any
 * }} props
 */
export function VirtualList({ count, keyOf, render, guess = 60, class: className = '', sticksToEnd = false, handle, onSeen, start, isSettled = true, ...rest }) {
    const ref = useRef(/** @type {HTMLElement | null} */ (null));
    const inner = useRef(/** @type {HTMLElement | null} */ (null));
    const [, redraw] = useState(0);
    const state = useRef(/** @type {any} */ (null));
    if (!state.current) {
        state.current = {
            heights: new Heights(guess), keys: [], measured: new Map(), scrollTop: 0, viewport: 800, turns: 0, lateFrames: 0, isAtEnd: sticksToEnd, hasStarted: false,
            anchor: { keys: [], places: [] },
        };
    }
    const list = state.current;
    adopt(list, count, keyOf);
    const { heights } = list;
    const from = Math.max(0, heights.find(list.scrollTop - MARGIN_PX));
    let to = from;
    for (let y = heights.top(from); to < count && to - from < ROWS_MAX && y < list.scrollTop + list.viewport + MARGIN_PX; to += 1) y += heights.at(to);
    const top = heights.top(from);

    const draw = () => redraw((value) => value + 1);
    // Drawing again after measuring settles in a few turns, or in a few frames. Where it does not, it must not go on for ever.
    const settle = () => {
        if (list.turns === 0) {
            requestAnimationFrame(() => {
                const isLate = list.turns > TURNS_MAX;
                list.turns = 0;
                list.lateFrames = isLate ? list.lateFrames + 1 : 0;
                if (isLate && list.lateFrames <= LATE_FRAMES_MAX) draw();
            });
        }
        list.turns += 1;
        if (list.turns <= TURNS_MAX) draw();
    };
    const read = () => {
        const element = ref.current;
        if (!element) return;
        list.scrollTop = element.scrollTop;
        list.viewport = element.clientHeight;
        if (!list.goal) list.isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
        list.anchor = anchorAt(list, heights.find(list.scrollTop));
    };
    /** @param {number} y */
    const set = (y) => {
        const element = ref.current;
        if (!element) return;
        element.scrollTop = y;
        read();
    };

    if (handle) {
        handle.current = {
            scrollTo(index, where = 'nearest') {
                const y = heights.top(index);
                const height = heights.at(index);
                const isSeen = y >= list.scrollTop && y + height <= list.scrollTop + list.viewport;
                if (where === 'nearest' && isSeen) return;
                const target = where === 'start' || (where === 'nearest' && y < list.scrollTop) ? y : where === 'center' ? y - (list.viewport - height) / 2 : y + height - list.viewport;
                list.goal = { keys: list.keys.slice(index, index + ANCHOR_ROWS), where: where === 'nearest' ? (y < list.scrollTop ? 'start' : 'end') : where, left: 4 };
                list.isAtEnd = false;
                if (inner.current) inner.current.style.height = `${heights.total()}px`;
                set(target);
                draw();
            },
            toEnd() {
                list.isAtEnd = true;
                list.goal = null;
                set(heights.total());
                list.isAtEnd = true;
                draw();
            },
            isAtEnd: () => list.isAtEnd,
            seen: () => ({ first: heights.find(list.scrollTop), last: heights.find(list.scrollTop + list.viewport - 1) }),
        };
    }

    // After each drawing: measure, and keep in place what is looked at.
    useLayoutEffect(() => {
        const element = ref.current;
        const body = inner.current;
        if (!element || !body) return;
        list.viewport = element.clientHeight;
        let isChanged = false;
        for (const row of body.children) {
            const index = Number(/** @type {HTMLElement} */ (row).dataset.index);
            const height = row.getBoundingClientRect().height;
            if (!(index < count)) continue;
            if (heights.own[index] !== height) {
                heights.set(index, height);
                list.measured.set(list.keys[index], height);
                isChanged = true;
            }
        }
        if (isChanged) body.style.height = `${heights.total()}px`;
        if (!list.hasStarted && count > 0 && element.clientHeight > 0) {
            list.hasStarted = true;
            if (start && start.index >= 0) handle?.current?.scrollTo(Math.min(start.index, count - 1), start.where);
            else if (sticksToEnd) handle?.current?.toEnd();
            draw();
            return;
        }
        let wanted = null;
        if (list.goal) {
            const index = list.indexOf(list.goal.keys.find((/** @type {string | number} */ key) => list.indexOf(key) >= 0));
            if (index >= 0) {
                const y = heights.top(index);
                const height = heights.at(index);
                wanted = list.goal.where === 'start' ? y : list.goal.where === 'center' ? y - (list.viewport - height) / 2 : y + height - list.viewport;
            }
            if (isSettled) list.goal.left -= 1;
            if (index < 0 || list.goal.left <= 0) {
                list.goal = null;
                isChanged = true;
            }
        } else if (sticksToEnd && list.isAtEnd) {
            wanted = heights.total() - list.viewport;
        } else {
            const left = list.anchor.keys.findIndex((/** @type {string | number} */ key) => list.indexOf(key) >= 0);
            if (left >= 0) wanted = heights.top(list.indexOf(list.anchor.keys[left])) - list.anchor.places[left];
        }
        if (wanted !== null) {
            const y = Math.max(0, Math.min(wanted, heights.total() - list.viewport));
            if (Math.abs(y - element.scrollTop) > 1) {
                const wasAtEnd = list.isAtEnd;
                set(y);
                if (!list.goal) list.isAtEnd = wasAtEnd || list.isAtEnd;
                isChanged = true;
            }
        }
        if (isChanged) settle();
        const first = heights.find(list.scrollTop);
        const last = heights.find(list.scrollTop + list.viewport - 1);
        if (count > 0 && (list.seenFirst !== first || list.seenLast !== last || list.seenCount !== count)) {
            Object.assign(list, { seenFirst: first, seenLast: last, seenCount: count });
            onSeen?.(first, last);
        }
    });

    useEffect(() => {
        const element = ref.current;
        const body = inner.current;
        if (!element || !body) return undefined;
        const resized = new ResizeObserver(() => settle());
        resized.observe(element);
        const rows = new MutationObserver(() => {
            for (const row of body.children) resized.observe(row);
        });
        rows.observe(body, { childList: true });
        for (const row of body.children) resized.observe(row);
        return () => {
            resized.disconnect();
            rows.disconnect();
        };
    }, []);

    const scrolled = () => {
        const before = list.scrollTop;
        read();
        if (before !== list.scrollTop) draw();
    };
    const byHand = () => {
        list.goal = null;
    };
    const rows = [];
    for (let index = from; index < to; index += 1) {
        rows.push(html`<div key=${list.keys[index]} data-index=${index} class="virtual-row">${render(index)}</div>`);
    }
    return html`
        <div ref=${ref} class=${`virtual scroll ${className}`} onScroll=${scrolled} onWheel=${byHand} onTouchStart=${byHand} onPointerDown=${byHand} ...${rest}>
            <div ref=${inner} class="virtual-body" role="presentation" style=${{ height: `${heights.total()}px`, paddingTop: `${top}px` }}>${rows}</div>
        </div>
    `;
}

/** The rows from `first` on, and where each is from the top of what can be seen. @param {any} list @param {number} first */
function anchorAt(list, first) {
    const keys = list.keys.slice(first, first + ANCHOR_ROWS);
    let y = list.heights.top(first) - list.scrollTop;
    const places = keys.map((/** @type {string | number} */ _, /** @type {number} */ ahead) => {
        const place = y;
        y += list.heights.at(first + ahead);
        return place;
    });
    return { keys, places };
}

/** Takes over a changed set of rows, with the heights that are known of them. @param {any} list @param {number} count @param {(index: number) => string | number} keyOf */
function adopt(list, count, keyOf) {
    const { keys } = list;
    let isSame = keys.length === count;
    for (let index = 0; isSame && index < count; index += 1) isSame = keys[index] === keyOf(index);
    if (isSame && list.indexOf) return;
    list.keys = Array.from({ length: count }, (_, index) => keyOf(index));
    const { measured, heights } = list;
    let sum = 0;
    for (const height of measured.values()) sum += height;
    if (measured.size > 20) heights.guess = sum / measured.size;
    heights.reset(count, (/** @type {number} */ index) => measured.get(list.keys[index]) ?? NaN);
    /** @type {Map<string | number, number> | null} */
    let byKey = null;
    list.indexOf = (/** @type {string | number} */ key) => {
        byKey ??= new Map(list.keys.map((/** @type {string | number} */ name, /** @type {number} */ index) => [name, index]));
        return byKey.get(key) ?? -1;
    };
}
