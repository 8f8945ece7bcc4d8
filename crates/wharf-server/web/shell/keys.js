// Keyboard shortcuts, and the list of them. A shortcut is said once, with the text that the help shows; it works everywhere unless
// the focus is in a field and the shortcut is a single letter.

import { useEffect } from '../html.js';

/**
 * @typedef {object} Key
 * @property {string} keys as it is shown and heard: 'Ctrl+K', 'Alt+ArrowDown', 'F6', '?'. Ctrl is ⌘ on a Mac
 * @property {string} text the key of what it does
 * @property {(event: KeyboardEvent) => void | false} [run] without it the help shows what a part handles itself; `false` lets the
 *   browser go on with the key
 *
 * @typedef {object} Group
 * @property {string} title the key of its title
 * @property {Key[]} keys
 */

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The groups that are heard now, the one that came last first. @type {Group[]} */
const heard = [];

/** Hears a group's keys for as long as the component is there. @param {Group} group */
export function useKeys(group) {
    useEffect(() => {
        heard.unshift(group);
        return () => {
            heard.splice(heard.indexOf(group), 1);
        };
    }, [group]);
}

/** All groups that are heard, for the help. */
export const groups = () => [...heard].reverse();

/** A shortcut as this system writes it. @param {string} keys */
export function shown(keys) {
    const names = { Ctrl: isMac ? '⌘' : 'Ctrl', Alt: isMac ? '⌥' : 'Alt', Shift: isMac ? '⇧' : 'Shift', ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', PageUp: 'PgUp', PageDown: 'PgDn', Escape: 'Esc' };
    return keys.split('+').map((key) => /** @type {Record<string, string>} */ (names)[key] ?? key);
}

/** @param {KeyboardEvent} event @param {string} keys */
function fits(event, keys) {
    const parts = keys.split('+');
    const key = parts.pop() ?? '';
    const isCtrl = isMac ? event.metaKey : event.ctrlKey;
    const wants = (/** @type {string} */ name) => parts.includes(name);
    // A letter with Shift is that letter; a sign has Shift in itself where the keyboard wants that.
    const isSign = key.length === 1 && !/[a-z0-9]/i.test(key);
    return event.key.toLowerCase() === key.toLowerCase()
        && isCtrl === wants('Ctrl') && event.altKey === wants('Alt') && (isSign || event.shiftKey === wants('Shift'));
}

/** Whether what has the focus takes letters. @param {Element | null} element */
export function takesText(element) {
    return element instanceof HTMLElement
        && (element.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(element.tagName));
}

addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const isTyping = takesText(document.activeElement);
    const hasDialog = document.querySelector('dialog[open]') !== null;
    for (const { keys } of heard) {
        for (const key of keys) {
            if (!key.run || !fits(event, key.keys)) continue;
            const isSingle = !key.keys.includes('+') && key.keys.length === 1;
            if ((isSingle && isTyping) || (hasDialog && key.keys !== 'Ctrl+/')) continue;
            if (key.run(event) === false) continue;
            event.preventDefault();
            return;
        }
    }
});
