// Where the page is: the address bar, as a signal. Views read `place` and go elsewhere with `go`.

import { signal } from './html.js';

/**
 * @typedef {object} Place
 * @property {string[]} path the decoded parts of the path
 * @property {URLSearchParams} query
 */

/** @returns {Place} */
function here() {
    const path = location.pathname.split('/').filter(Boolean).map((part) => {
        try {
            return decodeURIComponent(part);
        } catch {
            return part;
        }
    });
    return { path, query: new URLSearchParams(location.search) };
}

export const place = signal(here());

/** Goes to an address of the page. `replace` leaves no step behind to go back to. @param {string} address @param {{ replace?: boolean }} [options] */
export function go(address, { replace = false } = {}) {
    if (address === location.pathname + location.search) return;
    if (replace) history.replaceState(null, '', address);
    else history.pushState({ isOurs: true }, '', address);
    place.value = here();
}

/** Goes back to where one came from within the page, or up to `parent` where one came from elsewhere. @param {string} parent */
export function back(parent) {
    if (history.state?.isOurs) history.back();
    else go(parent, { replace: true });
}

/** The address of path parts: to('c', id) is /c/ID. @param {...string} parts */
export const to = (...parts) => '/' + parts.map(encodeURIComponent).join('/');

addEventListener('popstate', () => {
    place.value = here();
});

// A click on a link to an address of the page stays in the page, unless the person asks for a tab of its own.
addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = /** @type {Element} */ (event.target).closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || /^\/(api|a|health)\//.test(link.pathname)) return;
    event.preventDefault();
    const address = link.pathname + link.search;
    // A link to where one is already: whoever shows a part of the place shows it again.
    if (address === location.pathname + location.search) place.value = here();
    else go(address);
});
