// What a part of the page shows of the server's: asked when it is needed, and again when the log has gone on and is quiet.

import * as api from '../../api.js';
import { useEffect, useRef, useState } from '../../html.js';

const QUIET_MS = 400;
/** Answers, by what was asked: shown until a newer one is there, and where there is no network. @type {Map<string, any>} */
const answers = new Map();
const ANSWERS_MAX = 100;

/**
 * The answer to a question; null until there is one. What fails leaves what there was.
 * @param {string} path @param {Record<string, string> | undefined} query @param {number} head where the log stands
 * @returns {any}
 */
export function useFetched(path, query, head) {
    const name = JSON.stringify([path, query]);
    const [, show] = useState(0);
    const asked = useRef('');
    useEffect(() => {
        const stop = new AbortController();
        // What is asked for the first time is asked at once.
        const timer = setTimeout(() => {
            asked.current = name;
            api.get(path, query, stop.signal).then((answer) => {
                answers.delete(name);
                answers.set(name, answer);
                if (answers.size > ANSWERS_MAX) answers.delete(answers.keys().next().value ?? '');
                show((count) => count + 1);
            }, (error) => !stop.signal.aborted && console.warn('not answered', error));
        }, asked.current === name ? QUIET_MS : 0);
        return () => {
            clearTimeout(timer);
            stop.abort();
        };
    }, [name, head]);
    return answers.get(name) ?? null;
}
