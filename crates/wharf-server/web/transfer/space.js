// How much more a drive takes: what its owner's quota leaves.

import * as api from '../api.js';

/** @param {string} room @param {AbortSignal} [signal] @returns {Promise<number>} bytes */
export async function spaceLeft(room, signal) {
    /** @type {import('../types').Drive} */
    const drive = await api.get(`/rooms/${room}/drive`, undefined, signal);
    return Math.max(0, drive.quota_bytes - drive.owner_used_bytes);
}

/** The same where nothing depends on it: Infinity while nobody can say. @param {string} room */
export const spaceLeftIfKnown = (room) => spaceLeft(room).catch(() => Infinity);

/** What the server would say to a file that there is no room for; said before its bytes travel. @param {number} leftBytes */
export const overQuota = (leftBytes) => Object.assign(new api.ApiError(413, /** @type {any} */ ({ code: 'over_quota' })), { leftBytes });
