// Delays at random: frames, effects, answers and what the server says of itself come late to the page, by times that replay from a seed. What a page or a test
// takes for granted only because it was fast until now then fails. `WHARF_PAGE_DELAYS=7 ./test page` runs all tests with the delays of seed 7.

/** The seed that WHARF_PAGE_DELAYS names, if any. */
const SEED = process.env.WHARF_PAGE_DELAYS;

let pages = 0;

/** Whether there are delays: what is measured then is theirs. */
export const isDelayed = Boolean(SEED);

/** Makes the tabs of a context slow, if that is asked for. @param {import('playwright-core').BrowserContext} context */
export async function delay(context) {
    if (!isDelayed) return;
    pages += 1;
    await context.addInitScript(slow, Number(SEED) * 1000 + pages);
}

/** Runs in the page, before its own scripts. @param {number} seed */
function slow(seed) {
    let state = seed;
    /** A number from 0 up to 1 (mulberry32). */
    const random = () => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    /** Most things are a little late, and one in eight is very late. In milliseconds. */
    const late = () => (random() < 0.125 ? 400 * random() : 40 * random());

    // The real one, also where a test later sets the clock of the page.
    const setTimeout = window.setTimeout.bind(window);
    const frame = window.requestAnimationFrame.bind(window);
    const cancelFrame = window.cancelAnimationFrame.bind(window);
    /** @type {Map<number, () => void>} */
    const waiting = new Map();
    let last = 0;
    window.requestAnimationFrame = (callback) => {
        const id = ++last;
        const timer = setTimeout(() => {
            const real = frame((now) => {
                waiting.delete(id);
                callback(now);
            });
            waiting.set(id, () => cancelFrame(real));
        }, late());
        waiting.set(id, () => clearTimeout(timer));
        return id;
    };
    window.cancelAnimationFrame = (id) => {
        waiting.get(id)?.();
        waiting.delete(id);
    };

    // Preact runs effects after the next frame, or after 35 ms where none comes: both are late.
    window.setTimeout = /** @type {typeof window.setTimeout} */ (/** @type {unknown} */ ((/** @type {any} */ run, /** @type {number} */ ms, /** @type {any[]} */ ...rest) => setTimeout(run, ms === 35 ? ms + late() : ms, ...rest)));

    const { fetch } = window;
    window.fetch = async (...request) => {
        const answer = await fetch(...request);
        await new Promise((resolve) => setTimeout(resolve, late()));
        return answer;
    };

    // What a socket says keeps its order, its end included.
    /** @type {WeakMap<WebSocket, Promise<void>>} */
    const said = new WeakMap();
    for (const name of /** @type {const} */ (['onmessage', 'onclose'])) {
        const property = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(WebSocket.prototype, name));
        Object.defineProperty(WebSocket.prototype, name, {
            ...property,
            set(/** @type {(event: Event) => void} */ listener) {
                property.set?.call(this, (/** @type {Event} */ event) => {
                    const before = said.get(this) ?? Promise.resolve();
                    said.set(this, before.then(() => new Promise((resolve) => setTimeout(resolve, late()))).then(() => listener.call(this, event)));
                });
            },
        });
    }
}
