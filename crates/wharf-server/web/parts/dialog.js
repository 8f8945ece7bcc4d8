// Dialogs: the browser's own <dialog>, which keeps the focus inside, gives it back, and closes with Escape.
//
// `open(component)` shows one and resolves with what the component passes to its `close`; `confirm` asks a question. Dialogs may open dialogs.

import { html, render, useLayoutEffect, useRef, useState } from '../html.js';
import { t } from '../lang/index.js';
import { Icon } from './icon.js';

/** Dialogs so far. Each is a tree of its own, so `useId` would give two that are open the same id, and both one name. */
let count = 0;

/**
 * @template T
 * @param {(props: { close: (value?: T) => void }) => any} component
 * @returns {Promise<T | undefined>}
 */
export function open(component) {
    const place = document.createElement('div');
    document.body.append(place);
    const before = document.activeElement;
    return new Promise((resolve) => {
        const close = (/** @type {T | undefined} */ value) => {
            render(null, place);
            place.remove();
            if (before instanceof HTMLElement && before.isConnected) before.focus();
            resolve(value);
        };
        render(html`<${component} close=${close} />`, place);
    });
}

/**
 * A dialog's frame: a title, a close button, content, and buttons below.
 * @param {{ title: string, close: () => void, children?: any, footer?: any, class?: string, onSubmit?: (event: Event) => void }} props
 */
export function Dialog({ title, close, children, footer, class: className = '', onSubmit }) {
    const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
    const [id] = useState(() => `dialog-${++count}`);
    useLayoutEffect(() => {
        const dialog = ref.current;
        if (dialog && !dialog.open) dialog.showModal();
    }, []);
    const cancel = (/** @type {Event} */ event) => {
        event.preventDefault();
        close();
    };
    const outside = (/** @type {MouseEvent} */ event) => {
        if (event.target === ref.current) close();
    };
    const content = html`
        <header class="dialog-head">
            <h2 id=${id}>${title}</h2>
            <button type="button" class="icon-button" aria-label=${t('do.close')} onClick=${() => close()}><${Icon} name="close" /></button>
        </header>
        <div class="dialog-body scroll">${children}</div>
        ${footer && html`<footer class="dialog-foot">${footer}</footer>`}
    `;
    return html`
        <dialog ref=${ref} class=${`dialog ${className}`} aria-labelledby=${id} onCancel=${cancel} onMouseDown=${outside}>
            ${onSubmit
                ? html`<form class="dialog-frame" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); onSubmit(event); }}>${content}</form>`
                : html`<div class="dialog-frame">${content}</div>`}
        </dialog>
    `;
}

/**
 * Asks; true is yes.
 * @param {{ title: string, text?: any, yes: string, isDanger?: boolean }} question
 */
export async function confirm({ title, text, yes, isDanger = false }) {
    const answer = await open(({ close }) => html`
        <${Dialog} title=${title} close=${close} class="narrow" onSubmit=${() => close(true)} footer=${html`
            <button type="button" class="button" onClick=${() => close(false)}>${t('do.cancel')}</button>
            <button class=${`button ${isDanger ? 'danger' : 'primary'}`} autofocus>${yes}</button>
        `}>${text}<//>
    `);
    return answer === true;
}
