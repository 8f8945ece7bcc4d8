// How far something is: a bar with a label, or a spinner where nobody knows.

import { html } from '../html.js';

/** @param {{ value: number, max: number, label: string }} props */
export function Progress({ value, max, label }) {
    const part = max > 0 ? Math.min(1, value / max) : 0;
    return html`
        <div class="progress" role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(part * 100)}>
            <div class="progress-done" style=${{ transform: `scaleX(${part})` }}></div>
        </div>
    `;
}

/** @param {{ label: string }} props */
export function Spinner({ label }) {
    return html`<span class="spinner" role="status"><span class="sr-only">${label}</span></span>`;
}
