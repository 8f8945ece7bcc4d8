// Whether this browser keeps what it is given: the local copy may be refused (a private window, a policy), or the disk be nearly full.

import { computed, signal } from '../html.js';
import { isKept } from './model.js';

/** Less than this, and the browser may refuse the next message. */
const FREE_BYTES_MIN = 32 * 1024 * 1024;
const LOOK_MS = 5 * 60_000;

const isFull = signal(false);
let timer = 0;

/** What is wrong with it: nothing is kept, or there is hardly any room; null where all is well. */
export const problem = computed(() => (!isKept.value ? 'refused' : isFull.value ? 'full' : null));

/** Looks how much room there is, now and again. */
export async function look() {
    try {
        const { quota = 0, usage = 0 } = (await navigator.storage?.estimate()) ?? {};
        if (quota > 0) isFull.value = quota - usage < FREE_BYTES_MIN;
    } catch {
        // A browser that does not say.
    }
    clearTimeout(timer);
    timer = window.setTimeout(look, LOOK_MS);
}

/** Something could not be written. @param {unknown} error */
export function noteRefusal(error) {
    console.warn('this browser has refused to keep something', error);
    if (/** @type {any} */ (error)?.name === 'QuotaExceededError') isFull.value = true;
    else isKept.value = false;
}
