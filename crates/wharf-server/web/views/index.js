// The views of the page, in the order of the rail. Adding one is a folder here and a line below: see the README.

import { administration } from './administration/index.js';
import { contacts } from './contacts/index.js';
import { conversations } from './conversations/index.js';
import { drive } from './drive/index.js';
import { journal } from './journal/index.js';
import { settings } from './settings/index.js';

/**
 * @typedef {object} View
 * @property {string} id names the folder; the first part of its addresses is `route`
 * @property {string} label the key of its name, among the texts of the frame: 'view.drive'
 * @property {import('../parts/icon.js').IconName} icon
 * @property {string} route the first part of its addresses: 'drive' for /drive/…
 * @property {() => Promise<ViewModule>} load imports its module
 * @property {import('../lang/index.js').Loader} [texts] imports its texts
 * @property {(account: import('../types').Account) => boolean} [isFor] whether it is for this person; for everybody without
 * @property {() => number} [count] a number at its place in the rail
 * @property {import('../shell/keys.js').Group} [keys] its shortcuts that can be changed; its module says what they do (`bind`)
 *
 * @typedef {object} ViewModule
 * @property {import('../vendor/preact.js').ComponentType<any>} [List] the middle column; without it the view has the whole width
 * @property {import('../vendor/preact.js').ComponentType<any>} Main the column at the right
 * @property {(place: import('../router.js').Place) => boolean} [isDeep] whether, on a narrow screen, the main column is shown and not
 *   the list; by default where the address has a second part
 */

/** @type {View[]} */
export const VIEWS = [
    conversations,
    contacts,
    drive,
    journal,
    settings,
    administration,
];

/** The views that `account` has. @param {import('../types').Account} account */
export const viewsFor = (account) => VIEWS.filter((view) => view.isFor?.(account) ?? true);
