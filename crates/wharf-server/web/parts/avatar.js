// A person or room as a coloured disc with letters, and whether the person is there: by colour and by shape.

import { html } from '../html.js';

/** Grounds on which white letters have a contrast of 4.5:1. */
const GROUNDS = ['#b3402a', '#8a5a00', '#4a7219', '#0f7560', '#1f6f9c', '#3d5fc4', '#7a4fc0', '#a83c86', '#6a6170'];

/** @param {string} id */
export function groundOf(id) {
    let sum = 0;
    for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
    return GROUNDS[sum % GROUNDS.length];
}

/** One letter for what has none of its own spaces, else the first of two words. @param {string} name */
export function lettersOf(name) {
    const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
    const first = [...(words[0] ?? '?')][0];
    const isLatin = /^\p{Script=Latin}/u.test(first);
    const second = isLatin && words.length > 1 ? [...words[words.length - 1]][0] : '';
    return (first + second).toLocaleUpperCase();
}

/**
 * @param {{ id: string, name: string, size?: 'small' | 'medium' | 'large', status?: string, isRoom?: boolean }} props `id` gives the colour
 */
export function Avatar({ id, name, size = 'medium', status, isRoom = false }) {
    return html`
        <span class=${`avatar is-${size} ${isRoom ? 'is-room' : ''} ${status === 'offline' ? 'is-offline' : ''}`} aria-hidden="true">
            <span class="avatar-disc" style=${{ backgroundColor: groundOf(id) }}>${lettersOf(name)}</span>
            ${status && status !== 'offline' && html`<span class=${`avatar-status is-${status}`}></span>`}
        </span>
    `;
}
