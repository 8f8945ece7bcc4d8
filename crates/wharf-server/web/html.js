// What views are written with, in one place: Preact, its hooks, htm and signals. Modules of the page import them from here.

import { h } from './vendor/preact.js';
import htm from './vendor/htm.js';

/** Makes nodes: html`<p class="x">${text}</p>`. Texts are escaped by construction; there is no way to put in markup. */
export const html = htm.bind(h);

export { Component, Fragment, createPortal, render } from './vendor/preact.js';
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from './vendor/hooks.js';
export { batch, computed, effect, signal, untracked, useComputed, useSignal, useSignalEffect } from './vendor/signals.js';
