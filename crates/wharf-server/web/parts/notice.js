// Short notes at the edge of the screen. They say that something was done or failed; they have nothing to press but their own closing, so nothing
// is lost when they go. A note of a failure stays until it is closed.

import { html, signal } from '../html.js';
import { t } from '../lang/index.js';
import { Icon } from './icon.js';
import { message } from './problem.js';

const SHOWN_MS = 5000;
const NOTES_MAX = 4;

/** @typedef {{ id: number, text: string, isBad: boolean }} Note */
/** @type {import('../vendor/signals.js').Signal<Note[]>} */
const notes = signal([]);
let last = 0;

/** @param {string} text @param {boolean} isBad */
function add(text, isBad) {
    if (notes.value.some((note) => note.text === text)) return;
    const id = ++last;
    notes.value = [...notes.value.slice(1 - NOTES_MAX), { id, text, isBad }];
    if (!isBad) setTimeout(() => drop(id), SHOWN_MS);
}

/** @param {number} id */
function drop(id) {
    notes.value = notes.value.filter((note) => note.id !== id);
}

/** Says that something was done. @param {string} text */
export const say = (text) => add(text, false);
/** Says that something failed: an error, or a text. @param {unknown} error */
export const fail = (error) => add(typeof error === 'string' ? error : message(error), true);

/** Runs something and says so if it fails. @template T @param {() => Promise<T>} work @returns {Promise<T | undefined>} */
export async function attempt(work) {
    try {
        return await work();
    } catch (error) {
        fail(error);
        return undefined;
    }
}

export function Notes() {
    return html`
        <div class="notes" role="status" aria-live="polite">
            ${notes.value.map((note) => html`
                <div key=${note.id} class=${`note ${note.isBad ? 'is-bad' : ''}`}>
                    <span class="grow">${note.text}</span>
                    <button type="button" class="icon-button" aria-label=${t('do.close')} onClick=${() => drop(note.id)}><${Icon} name="close" /></button>
                </div>
            `)}
        </div>
    `;
}
