// Entries that the server finds: with a tag, from an origin, of some days. They are kept in the room's timeline, so that what happens to them
// later shows; which ones they are is asked again when the log goes on.

import * as api from '../../api.js';
import { useEffect, useMemo, useRef, useState } from '../../html.js';
import * as fold from '../../fold.js';
import { message } from '../../parts/problem.js';
import { connection, timeline } from '../../store/index.js';
import { queryOf } from './address.js';

/** @typedef {import('../../types').Room} Room */
/** @typedef {import('../../types').DiaryPage} DiaryPage */

const PAGE = 100;
/** Pages that may have nothing in a row before it is left to the person whether to go on. */
const EMPTY_MAX = 20;
/** The log is looked at again when it has been quiet for this long. */
const QUIET_MS = 250;

/**
 * @typedef {object} Found
 * @property {number[]} positions ascending; from the end of the log up to where it was looked
 * @property {number} [next] where to go on
 * @property {number} head up to where the log was looked at
 * @property {boolean} hasLooked whether there was an answer
 */

/** @type {Found} */
const NOTHING = { positions: [], head: 0, hasLooked: false };

/**
 * Looks further back, until there are `count` more or there is no more.
 * @param {Room} room @param {import('./address.js').Choice} choice @param {Found} found @param {number} count @param {AbortSignal} signal @returns {Promise<Found>}
 */
async function further(room, choice, found, count, signal) {
    /** @type {number[]} */
    let more = [];
    let { next, head } = found;
    let empty = 0;
    do {
        const page = /** @type {DiaryPage} */ (await api.get(`/rooms/${room.id}/diary`, { ...queryOf(choice), after: next, limit: PAGE, newest_first: true }, signal));
        timeline(room.id).merge(page.items, page.head);
        more = [...page.items.map(({ position }) => position).reverse(), ...more];
        empty = page.items.length === 0 ? empty + 1 : 0;
        next = page.next;
        // What is past the first page's head is asked for later.
        if (!found.hasLooked && head === 0) head = page.head;
    } while (next !== undefined && more.length < count && empty < EMPTY_MAX);
    return { positions: [...more, ...found.positions], next, head, hasLooked: true };
}

/** What has come to the log since it was looked at last. @param {Room} room @param {import('./address.js').Choice} choice @param {Found} found @param {AbortSignal} signal @returns {Promise<Found>} */
async function newer(room, choice, found, signal) {
    const entries = timeline(room.id);
    let hasEffects = false;
    for (let position = found.head + 1; position <= room.head; position += 1) {
        const entry = entries.entries.get(position);
        if (!entry || fold.targetOf(entry.body) !== undefined) hasEffects = true;
    }
    // An edit may have given an older entry the tag, or taken it.
    if (hasEffects) return further(room, choice, NOTHING, Math.max(PAGE, found.positions.length), signal);
    let { positions, head } = found;
    /** @type {number | undefined} */
    let after = found.head;
    do {
        const page = /** @type {DiaryPage} */ (await api.get(`/rooms/${room.id}/diary`, { ...queryOf(choice), after, limit: PAGE }, signal));
        entries.merge(page.items, page.head);
        const added = page.items.map(({ position }) => position).filter((position) => position > (positions.at(-1) ?? 0));
        positions = [...positions, ...added];
        after = page.next;
        head = page.head;
    } while (after !== undefined);
    return { ...found, positions, head };
}

/**
 * The entries of a choice, from the end backwards as they are asked for.
 * @param {Room} room @param {import('./address.js').Choice} choice
 */
export function useFound(room, choice) {
    const [found, setFound] = useState(NOTHING);
    const [isBusy, setBusy] = useState(true);
    const [problem, setProblem] = useState('');
    const stop = useRef(new AbortController());
    const name = JSON.stringify(choice);
    const entries = timeline(room.id);
    const changed = entries.changed.value;

    const run = (/** @type {(signal: AbortSignal) => Promise<Found>} */ work) => {
        stop.current.abort();
        stop.current = new AbortController();
        const { signal } = stop.current;
        setBusy(true);
        work(signal).then(
            (now) => {
                if (signal.aborted) return;
                setFound(now);
                setBusy(false);
                setProblem('');
            },
            (error) => {
                if (signal.aborted) return;
                setBusy(false);
                setProblem(message(error));
            },
        );
    };
    useEffect(() => {
        setFound(NOTHING);
        run((signal) => further(room, choice, NOTHING, PAGE, signal));
        return () => stop.current.abort();
    }, [room.id, name]);
    useEffect(() => {
        if (!found.hasLooked || isBusy || problem || room.head <= found.head) return undefined;
        const timer = setTimeout(() => run((signal) => newer(room, choice, found, signal)), QUIET_MS);
        return () => clearTimeout(timer);
    }, [room.head, found, isBusy, problem]);
    const retry = () => run((signal) => (found.hasLooked ? newer(room, choice, found, signal) : further(room, choice, NOTHING, PAGE, signal)));
    useEffect(() => {
        if (problem && connection.value === 'live') retry();
    }, [connection.value]);
    const positions = useMemo(() => found.positions.filter((position) => {
        const entry = entries.entries.get(position);
        return entry !== undefined && fold.isSaid(entry);
    }), [found, changed]);
    return {
        positions, isBusy, problem, hasLooked: found.hasLooked, isWhole: found.hasLooked && found.next === undefined,
        more: () => { if (!isBusy && !problem && found.next !== undefined) run((signal) => further(room, choice, found, PAGE, signal)); },
        retry,
    };
}
