// Menus: of a button, or where somebody pressed the right button. Arrows, Home, End and letters move, Escape closes and gives the focus back.

import { html, render, useLayoutEffect, useRef } from '../html.js';
import { Icon } from './icon.js';

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {import('./icon.js').IconName} [icon]
 * @property {() => void} [run]
 * @property {boolean} [isDanger]
 * @property {boolean} [isChecked] shows a check mark, or its absence
 * @property {boolean} [isDisabled]
 */

/**
 * Opens a menu at an element, or at a point.
 * @param {Element | { x: number, y: number }} at
 * @param {(Item | null | undefined | false)[]} items what is no item is left out
 * @param {{ label?: string }} [options]
 */
export function openMenu(at, items, { label } = {}) {
    const before = document.activeElement;
    const place = document.createElement('div');
    // Inside of the main area, so that a screen reader that goes by areas finds it.
    (document.getElementById('main') ?? document.body).append(place);
    if (at instanceof Element) at.setAttribute('aria-expanded', 'true');
    const close = () => {
        render(null, place);
        place.remove();
        if (at instanceof Element) at.setAttribute('aria-expanded', 'false');
        if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
    const rect = at instanceof Element ? at.getBoundingClientRect() : new DOMRect(at.x, at.y, 0, 0);
    const shown = /** @type {Item[]} */ (items.filter(Boolean));
    render(html`<${Menu} items=${shown} rect=${rect} close=${close} label=${label} />`, place);
}

/** @param {{ items: Item[], rect: DOMRect, close: () => void, label?: string }} props */
function Menu({ items, rect, close, label }) {
    const ref = useRef(/** @type {HTMLElement | null} */ (null));
    useLayoutEffect(() => {
        const menu = ref.current;
        if (!menu) return;
        const { width, height } = menu.getBoundingClientRect();
        const left = Math.min(Math.max(8, rect.left), innerWidth - width - 8);
        const isBelow = rect.bottom + 4 + height <= innerHeight - 8;
        const top = isBelow ? rect.bottom + 4 : Math.max(8, rect.top - 4 - height);
        menu.style.left = `${left}px`;
        menu.style.top = `${top}px`;
        /** @type {HTMLElement | null} */ (menu.querySelector('[role^=menuitem]'))?.focus();
    }, []);
    useLayoutEffect(() => {
        const outside = (/** @type {Event} */ event) => {
            if (!ref.current?.contains(/** @type {Node} */ (event.target))) close();
        };
        addEventListener('pointerdown', outside, true);
        addEventListener('resize', close);
        return () => {
            removeEventListener('pointerdown', outside, true);
            removeEventListener('resize', close);
        };
    }, []);
    const key = (/** @type {KeyboardEvent} */ event) => {
        const all = /** @type {HTMLElement[]} */ ([...(ref.current?.querySelectorAll('[role^=menuitem]:not([aria-disabled=true])') ?? [])]);
        const index = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
        const move = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1 }[event.key];
        if (event.key === 'Escape' || event.key === 'Tab') close();
        else if (move !== undefined) all.at(move % all.length)?.focus();
        else if (event.key.length === 1 && event.key !== ' ') {
            const letter = event.key.toLowerCase();
            const next = [...all.slice(index + 1), ...all].find((item) => item.textContent?.trim().toLowerCase().startsWith(letter));
            next?.focus();
            return;
        } else return;
        event.preventDefault();
        event.stopPropagation();
    };
    return html`
        <div class="menu" role="menu" aria-label=${label} ref=${ref} onKeyDown=${key}>
            ${items.map((item) => html`
                <button
                    type="button" class=${`menu-item inset-focus ${item.isDanger ? 'is-danger' : ''}`}
                    role=${item.isChecked === undefined ? 'menuitem' : 'menuitemcheckbox'}
                    aria-checked=${item.isChecked === undefined ? undefined : String(item.isChecked)}
                    aria-disabled=${item.isDisabled ? 'true' : undefined} tabindex="-1"
                    onClick=${() => { if (!item.isDisabled) { close(); item.run?.(); } }}
                >
                    ${item.icon ? html`<${Icon} name=${item.icon} />` : item.isChecked === undefined ? null : html`<span class="icon">${item.isChecked && html`<${Icon} name="check" />`}</span>`}
                    <span class="grow">${item.label}</span>
                </button>
            `)}
        </div>
    `;
}
