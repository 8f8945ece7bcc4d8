// What those who plan uploads and those who send them agree on: sizes, and names that are taken.

import { ApiError } from '../api.js';

/** What is read, hashed and sent at once. */
export const BATCH_BYTES = 16 * 1024 * 1024;
/** Files up to here are one chunk, and many of them are one batch. */
export const SMALL_BYTES = 1024 * 1024;

/** Whether a name was taken. @param {unknown} error */
export const isTaken = (error) => error instanceof ApiError && (error.code === 'exists' || error.code === 'stale');

/** `photo (2).jpg` after `photo.jpg`. @param {string} path */
export function nextName(path) {
    const [, folder, stem, ending] = /** @type {RegExpExecArray} */ (/^(.*\/)?(.+?)(\.[^./]*)?$/.exec(path));
    const numbered = /^(.*) \((\d+)\)$/.exec(stem);
    return `${folder ?? ''}${numbered ? numbered[1] : stem} (${numbered ? Number(numbered[2]) + 1 : 2})${ending ?? ''}`;
}
