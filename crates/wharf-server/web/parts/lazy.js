// Parts of a view that are loaded when they are first shown, so that what nobody has opened costs nothing at the start.

import { html, useLayoutEffect, useState } from '../html.js';
import { attempt } from './notice.js';

/** A component that is loaded when it is first shown. @param {() => Promise<import('../vendor/preact.js').ComponentType<any>>} load @returns {import('../vendor/preact.js').ComponentType<any>} */
export function lazily(load) {
    /** @type {import('../vendor/preact.js').ComponentType<any> | null} */
    let loaded = null;
    return function Lazy(props) {
        const [, show] = useState(0);
        // At once: what another one loads between the drawing and this would not be seen.
        useLayoutEffect(() => {
            if (loaded) return;
            void attempt(async () => {
                loaded = await load();
                show((count) => count + 1);
            });
        }, []);
        return loaded ? html`<${loaded} ...${props} />` : null;
    };
}
