// The HTTP API: the only module that asks the server something over HTTP.
//
// Everything throws an ApiError when the server refuses and a NetworkError when there was no answer. Views decide by `code`, never by
// the text, and show `message(error)` of parts/problem.js.

const PREFIX = '/api/v1';
/** How long an answer may be in coming before the connection is taken as broken. */
const PATIENCE_MS = 30_000;

/** A refusal by the server. `code` is stable (docs/protocol/http.md), `message` is the server's text, in English. */
export class ApiError extends Error {
    /** @param {number} status @param {import('./types').Problem | null} problem */
    constructor(status, problem) {
        super(problem?.detail ?? problem?.title ?? `HTTP ${status}`);
        this.name = 'ApiError';
        this.status = status;
        /** @type {string} */
        this.code = problem?.code ?? (status >= 500 ? 'unavailable' : 'invalid');
        this.requestId = problem?.request_id;
        this.retryAfterSeconds = problem?.retry_after_seconds;
        this.failed = problem?.failed ?? [];
    }
}

/** There was no answer: no network, no server, or it took too long. */
export class NetworkError extends Error {
    /** @param {unknown} cause */
    constructor(cause) {
        super('no answer', { cause });
        this.name = 'NetworkError';
        this.code = 'offline';
    }
}

/** @type {Set<() => void>} */
const loggedOut = new Set();

/** Has `call` called when the server says that the session has ended. Returns how to take it back. @param {() => void} call */
export function onLoggedOut(call) {
    loggedOut.add(call);
    return () => loggedOut.delete(call);
}

/**
 * The address of something under the API's prefix. Parts of a path must be encoded by the caller; values of the query are here.
 * Missing values are left out.
 * @param {string} path @param {Record<string, string | number | boolean | null | undefined>} [query]
 */
export function url(path, query) {
    const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
    const search = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
    return PREFIX + path + (search ? `?${search}` : '');
}

/** A path in a drive as part of an address: its slashes stay. @param {string} path */
export function encodePath(path) {
    return path.split('/').map(encodeURIComponent).join('/');
}

/**
 * Sends a request and gives back its answer if it is one of success.
 * @param {string} method
 * @param {string} address as `url` makes it
 * @param {{ body?: BodyInit, type?: string, headers?: Record<string, string>, signal?: AbortSignal, patienceMs?: number }} [options]
 */
export async function send(method, address, { body, type, headers, signal, patienceMs = PATIENCE_MS } = {}) {
    const deadline = AbortSignal.timeout(patienceMs);
    /** @type {Response} */
    let answer;
    try {
        answer = await fetch(address, {
            method,
            body,
            headers: { ...(type ? { 'content-type': type } : {}), ...headers },
            signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
            credentials: 'same-origin',
            redirect: 'error',
        });
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new NetworkError(error);
    }
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => null);
    if (answer.status === 401) void checkSession();
    throw new ApiError(answer.status, problem);
}

/** Finds out whether the session has ended. A wrong password is a 401 too: only where the account itself cannot be had has it. */
export async function checkSession() {
    if (loggedOut.size === 0) return;
    const answer = await fetch(url('/account'), { credentials: 'same-origin' }).catch(() => null);
    if (answer?.status === 401) for (const call of loggedOut) call();
}

/** @param {string} method @param {string} path @param {unknown} [body] @param {{ query?: Record<string, any>, signal?: AbortSignal }} [options] */
async function json(method, path, body, { query, signal } = {}) {
    const answer = await send(method, url(path, query), {
        body: body === undefined ? undefined : JSON.stringify(body),
        type: body === undefined ? undefined : 'application/json',
        signal,
    });
    if (answer.status === 204) return undefined;
    try {
        return await answer.json();
    } catch (error) {
        throw new NetworkError(error);
    }
}

/** @param {string} path @param {Record<string, any>} [query] @param {AbortSignal} [signal] @returns {Promise<any>} */
export const get = (path, query, signal) => json('GET', path, undefined, { query, signal });
/** @param {string} path @param {unknown} [body] @returns {Promise<any>} */
export const post = (path, body) => json('POST', path, body);
/** @param {string} path @param {unknown} [body] @returns {Promise<any>} */
export const put = (path, body) => json('PUT', path, body);
/** @param {string} path @param {unknown} [body] @returns {Promise<any>} */
export const patch = (path, body) => json('PATCH', path, body);
/** @param {string} path @returns {Promise<any>} */
export const remove = (path) => json('DELETE', path);
