// Addresses of the drives: /drive/ROOM/files/PATH, and /drive/ROOM/trash, /changes, /find?name= and /find?tag=.

import { to } from '../../router.js';
import { me } from '../../session.js';

/** @typedef {'files' | 'trash' | 'changes' | 'find'} Screen */

/** The address of a folder. @param {string} room @param {string} path */
export const folderAddress = (room, path) => to('drive', room, 'files', ...path.split('/').filter(Boolean));

/** @param {string} room @param {Screen} screen @param {Record<string, string>} [query] */
export const screenAddress = (room, screen, query) => to('drive', room, screen) + (query ? `?${new URLSearchParams(query)}` : '');

/**
 * What an address shows.
 * @param {import('../../router.js').Place} place
 */
export function shown(place) {
    const [, room, screen = 'files', ...parts] = place.path;
    return {
        room: room ?? me.value?.home ?? '',
        screen: /** @type {Screen} */ (['trash', 'changes', 'find'].includes(screen) ? screen : 'files'),
        path: parts.join('/'),
        name: place.query.get('name') ?? '',
        tag: place.query.get('tag') ?? '',
    };
}

/** The folder that holds what is at a path. @param {string} path */
export const parentOf = (path) => path.split('/').slice(0, -1).join('/');

/** @param {string} path @param {string} name */
export const join = (path, name) => (path ? `${path}/${name}` : name);
