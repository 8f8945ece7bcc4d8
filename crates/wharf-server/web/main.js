// Where the page begins.

import { html, render } from './html.js';
import { begin as beginTexts } from './lang/index.js';
import { Notes } from './parts/notice.js';
import { place } from './router.js';
import * as session from './session.js';
import { Shell } from './shell/shell.js';
import * as store from './store/index.js';
import { Entrance, EnterRoom } from './views/entrance/view.js';

function Page() {
    if (session.state.value === 'starting') return null;
    if (session.state.value === 'entrance') return html`<${Entrance} /><${Notes} />`;
    const { path } = place.value;
    if (path[0] === 'enter' && path[1]) return html`<${EnterRoom} code=${path[1]} /><${Notes} />`;
    return html`<${Shell} />`;
}

session.attend({ begin: store.begin, end: store.end });
await beginTexts();
const root = document.getElementById('page');
if (root) render(html`<${Page} />`, root);
await session.start();

if ('serviceWorker' in navigator && isSecureContext) {
    navigator.serviceWorker.register('/sw.js').catch((error) => console.warn('no service worker', error));
}
