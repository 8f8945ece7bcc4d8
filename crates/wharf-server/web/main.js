// Where the page begins.

import { html, render, signal } from './html.js';
import { begin as beginTexts } from './lang/index.js';
import { Notes, fail } from './parts/notice.js';
import { place } from './router.js';
import * as session from './session.js';
import { Shell, load } from './shell/shell.js';
import * as store from './store/index.js';
import { VIEWS } from './views/index.js';

/** The way in, which is loaded where somebody needs it. @type {import('./vendor/signals.js').Signal<typeof import('./views/entrance/view.js') | null>} */
const entrance = signal(null);
let isAsked = false;

/** It, or null as long as it is on its way. */
function loadedEntrance() {
    if (!entrance.value && !isAsked) {
        isAsked = true;
        import('./views/entrance/view.js').then(
            (module) => { entrance.value = module; },
            (error) => {
                isAsked = false;
                fail(error);
            },
        );
    }
    return entrance.value;
}

function Page() {
    if (session.state.value === 'starting') return null;
    const { path } = place.value;
    const isOut = session.state.value === 'entrance';
    if (!isOut && !(path[0] === 'enter' && path[1])) return html`<${Shell} />`;
    const way = loadedEntrance();
    return html`${way && (isOut ? html`<${way.Entrance} />` : html`<${way.EnterRoom} code=${path[1]} />`)}<${Notes} />`;
}

session.attend({ begin: store.begin, end: store.end });
// The texts, who is logged in, and the view that the address shows come together and not one after another.
const started = session.start();
const texts = beginTexts();
const first = VIEWS.find(({ route }) => route === (place.value.path[0] ?? VIEWS[0].route));
if (first && session.isLikely()) load(first).catch(() => {});
await texts;
const root = document.getElementById('page');
if (root) render(html`<${Page} />`, root);
await started;

if ('serviceWorker' in navigator && isSecureContext) {
    navigator.serviceWorker.register('/sw.js').catch((error) => console.warn('no service worker', error));
}
