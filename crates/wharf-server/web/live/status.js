// What others see of this person: the status that was chosen for this browser; and away instead of online when nobody has touched a tab for a while.

import { computed, signal } from '../html.js';

/** @typedef {'online' | 'away' | 'busy' | 'invisible'} Chosen */

/** @type {Chosen[]} */
export const STATUSES = ['online', 'away', 'busy', 'invisible'];
const STORED = 'wharf-status';

/** @returns {Chosen} */
function stored() {
    const name = /** @type {Chosen} */ (localStorage.getItem(STORED));
    return STATUSES.includes(name) ? name : 'online';
}

export const chosen = signal(stored());
/** Whether nobody has touched any tab of this browser for a while. */
export const isIdle = signal(false);
/** What the server is told. */
export const status = computed(() => (chosen.value === 'online' && isIdle.value ? 'away' : chosen.value));

/** @param {Chosen} name */
export function setStatus(name) {
    if (name === 'online') localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, name);
    chosen.value = name;
}

addEventListener('storage', ({ key }) => {
    if (key === STORED || key === null) chosen.value = stored();
});
