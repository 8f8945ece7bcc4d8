// Dark, light, or as the system is.

import { signal } from '../html.js';

const STORED = 'wharf-theme';

/** @typedef {'system' | 'light' | 'dark'} Theme */

export const theme = signal(/** @type {Theme} */ (localStorage.getItem(STORED) ?? 'system'));

/** @param {Theme} name */
export function setTheme(name) {
    theme.value = name;
    if (name === 'system') {
        localStorage.removeItem(STORED);
        delete document.documentElement.dataset.theme;
    } else {
        localStorage.setItem(STORED, name);
        document.documentElement.dataset.theme = name;
    }
}
