// Keyboard shortcuts, and the list of them. A shortcut is said once, with the text that the help shows; it works everywhere unless
// the focus is in a field and the shortcut is a single letter. Those that a view's descriptor lists can be changed in the settings.

import { signal, useLayoutEffect } from '../html.js';

/**
 * @typedef {object} Key
 * @property {string} keys as it is shown and heard, unless somebody wanted others: 'Ctrl+K', 'Alt+ArrowDown', 'F6', '?'. Ctrl is ⌘ on a Mac
 * @property {string} text the key of what it does; it names the shortcut
 * @property {(event: KeyboardEvent) => void | false} [run] without it the help shows what a part handles itself; `false` lets the
 *   browser go on with the key
 *
 * @typedef {object} Group
 * @property {string} title the key of its title
 * @property {Key[]} keys
 */

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const STORED = 'wharf-keys';

/** The shortcuts of the frame that can be changed. @type {Group} */
export const EVERYWHERE = {
    title: 'key.group.everywhere',
    keys: [
        { keys: 'Ctrl+/', text: 'key.help' },
        { keys: 'F6', text: 'key.landmark' },
        { keys: 'Shift+F6', text: 'key.landmark.before' },
    ],
};

/** @returns {Record<string, string>} */
function stored() {
    try {
        return JSON.parse(localStorage.getItem(STORED) ?? '{}');
    } catch {
        return {};
    }
}

/** The keys that somebody wants for a shortcut, by its text. */
const own = signal(stored());
addEventListener('storage', ({ key }) => {
    if (key === STORED || key === null) own.value = stored();
});

/** The keys of a shortcut here. @param {Key} key */
export const keysOf = ({ keys, text }) => own.value[text] ?? keys;

/** Wants other keys, by the texts of shortcuts; those that come with the page for null. @param {Record<string, string | null>} changes */
export function setKeys(changes) {
    const entries = Object.entries({ ...own.value, ...changes }).filter(([, keys]) => keys !== null);
    own.value = /** @type {Record<string, string>} */ (Object.fromEntries(entries));
    localStorage.setItem(STORED, JSON.stringify(own.value));
}

/** All shortcuts are again those that come with the page. */
export function resetKeys() {
    own.value = {};
    localStorage.removeItem(STORED);
}

/** Whether somebody wants other keys anywhere. */
export const hasOwnKeys = () => Object.keys(own.value).length > 0;

/** A group with what its shortcuts do, by their texts. @param {Group} group @param {Record<string, () => void | false>} runs @param {Key[]} [more] that the help shows as well @returns {Group} */
export const bind = ({ title, keys }, runs, more = []) => ({ title, keys: [...keys.map((key) => ({ ...key, run: runs[key.text] })), ...more] });

/** The groups that are heard now, the one that came last first. @type {Group[]} */
const heard = [];

/** Hears a group's keys for as long as the component is there. @param {Group} group */
export function useKeys(group) {
    useLayoutEffect(() => {
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

/** The key of an event. Letters of an alphabet that no shortcut has are those at the same place of the keyboard. @param {KeyboardEvent} event */
function keyName({ key, code }) {
    const letter = /^Key([A-Z])$/.exec(code)?.[1];
    if (key.length === 1 && letter && !/[ -~]/.test(key)) return letter;
    return key.length === 1 ? key.toUpperCase() : key;
}

const isSign = (/** @type {string} */ key) => key.length === 1 && !/[a-z0-9]/i.test(key);

/** An event as the keys of a shortcut; empty while only Ctrl and its like are held. @param {KeyboardEvent} event */
export function pressed(event) {
    const key = keyName(event);
    if (['Control', 'Alt', 'Shift', 'Meta', 'AltGraph', 'CapsLock', 'Process', 'Dead', 'Unidentified'].includes(key)) return '';
    const isCtrl = isMac ? event.metaKey : event.ctrlKey;
    return [isCtrl && 'Ctrl', event.altKey && 'Alt', event.shiftKey && !isSign(key) && 'Shift', key].filter(Boolean).join('+');
}

/** What fields and the browser need for themselves. */
const NEEDED = ['Ctrl+A', 'Ctrl+C', 'Ctrl+V', 'Ctrl+X', 'Ctrl+Y', 'Ctrl+Z', 'Ctrl+Shift+Z', 'Ctrl+Enter', 'Shift+F10', 'F5', 'F11', 'F12'];

/** Whether keys can be those of a shortcut. @param {string} keys */
export function isFree(keys) {
    const parts = keys.split('+');
    const key = parts.at(-1) ?? '';
    if (key === '' || key === ' ' || NEEDED.includes(keys)) return false;
    return parts.includes('Ctrl') || parts.includes('Alt') || /^F\d+$/.test(key) || (parts.length === 1 && key.length === 1);
}

/** @param {KeyboardEvent} event @param {string} keys */
export function fits(event, keys) {
    const parts = keys.split('+');
    const key = parts.pop() ?? '';
    const isCtrl = isMac ? event.metaKey : event.ctrlKey;
    const wants = (/** @type {string} */ name) => parts.includes(name);
    // A letter with Shift is that letter; a sign has Shift in itself where the keyboard wants that.
    return keyName(event).toLowerCase() === key.toLowerCase()
        && isCtrl === wants('Ctrl') && event.altKey === wants('Alt') && (isSign(key) || event.shiftKey === wants('Shift'));
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
    for (const group of heard) {
        for (const key of group.keys) {
            const keys = keysOf(key);
            if (!key.run || !fits(event, keys)) continue;
            const isSingle = !keys.includes('+') && keys.length === 1;
            if ((isSingle && isTyping) || (hasDialog && key.text !== 'key.help')) continue;
            if (key.run(event) === false) continue;
            event.preventDefault();
            return;
        }
    }
});
