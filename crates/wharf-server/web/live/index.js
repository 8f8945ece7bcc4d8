// The live stream for all tabs of this browser: one of them, the leader, has the connection; it applies what comes, writes it into the local
// copy, and tells the others, which apply it to their memory.
//
// Who leads is decided by a Web Lock, which the browser takes from a tab that closes or dies. A tab that is frozen keeps its lock and says
// nothing any more: when the leader has not been heard for a while, another one takes the lock away from it. What the frozen one had not told the
// others by then is told to the new leader by the server, since its hello says only what it has itself.

import * as api from '../api.js';
import { apply } from '../store/apply.js';
import * as outbox from '../store/outbox.js';
import { connection } from '../store/model.js';
import * as copy from '../store/copy.js';
import { Connection } from './connection.js';

/** @typedef {import('../frames').ServerFrame} ServerFrame */
/** @typedef {import('../frames').ClientFrame} ClientFrame */

/** How often the leader says that it is there. */
const BEAT_MS = 2000;
/** How long a leader may be silent before another takes its place. */
const SILENT_MS = 10_000;
/** Frames that come in one turn are told together. */
const TOLD_MAX = 200;

/**
 * @typedef {{ type: 'frames', frames: { frame: ServerFrame, device: string }[] }
 *   | { type: 'beat', how: 'connecting' | 'live' | 'offline' }
 *   | { type: 'joined' }
 *   | { type: 'outbox' }
 *   | { type: 'say', frame: ClientFrame }
 *   | { type: 'watch', tab: string, accounts: string[] }
 *   | { type: 'left', tab: string }
 *   | { type: 'logged-out' }} Message
 */

/** @type {Live | null} */
let live = null;

/** Begins, for an account. `loggedOut` is called when the session has ended. @param {string} account @param {() => void} loggedOut */
export function start(account, loggedOut) {
    live = new Live(account, loggedOut);
}

export function stop() {
    live?.stop();
    live = null;
}

/** Says something that needs no answer: typing, read, status. It is lost without a connection. @param {ClientFrame} frame */
export function say(frame) {
    live?.say(frame);
}

/** Has the presence of these accounts told, in place of those before. @param {string[]} accounts */
export function watch(accounts) {
    live?.watch(accounts);
}

/** There is something new in the outbox. */
export function send() {
    live?.outboxChanged();
}

/** Tries to connect now. */
export function hurry() {
    live?.connection?.hurry();
}

class Live {
    /** @param {string} account @param {() => void} loggedOut */
    constructor(account, loggedOut) {
        this.account = account;
        this.loggedOut = loggedOut;
        this.tab = crypto.randomUUID();
        this.name = `wharf-live-${account}`;
        this.channel = new BroadcastChannel(this.name);
        this.channel.onmessage = ({ data }) => this.told(data);
        /** @type {Connection | null} */
        this.connection = null;
        /** What each tab watches. @type {Map<string, string[]>} */
        this.watched = new Map();
        /** @type {{ frame: ServerFrame, device: string }[]} */
        this.toTell = [];
        this.isStopped = false;
        this.heardAt = Date.now();
        this.stopping = new AbortController();
        this.timer = setInterval(() => this.beat(), BEAT_MS);
        this.onLeave = () => this.tell({ type: 'left', tab: this.tab });
        addEventListener('pagehide', this.onLeave);
        // A page that comes back from the browser's cache has missed everything.
        this.onShow = (/** @type {PageTransitionEvent} */ event) => {
            if (event.persisted) location.reload();
        };
        addEventListener('pageshow', this.onShow);
        void this.wait();
        this.tell({ type: 'joined' });
    }

    /** Waits to lead, and leads until it is stopped or another takes the lock away. */
    async wait(steal = false) {
        if (!navigator.locks) {
            await this.lead();
            return;
        }
        const options = steal ? { steal: true } : { signal: this.stopping.signal };
        try {
            await navigator.locks.request(this.name, options, () => this.lead());
        } catch {
            // Another took the lock, or this tab stops.
            this.resign();
            if (!this.isStopped) {
                this.heardAt = Date.now();
                await copy.reload();
                void this.wait();
            }
        }
    }

    /** Has the connection until it is stopped. */
    lead() {
        if (this.isStopped) return undefined;
        this.connection = new Connection({
            known: copy.known,
            heard: (frame, device) => this.hear(frame, device),
            changed: (how) => {
                connection.value = how;
                this.tell({ type: 'beat', how });
            },
            loggedOut: () => {
                this.tell({ type: 'logged-out' });
                this.loggedOut();
            },
        });
        return new Promise((resolve) => {
            this.stopping.signal.addEventListener('abort', () => resolve(undefined));
        });
    }

    resign() {
        this.connection?.close();
        this.connection = null;
    }

    /** @param {ServerFrame} frame @param {string} device */
    hear(frame, device) {
        this.take(frame, device);
        copy.write(frame);
        this.toTell.push({ frame, device });
        if (this.toTell.length === 1) queueMicrotask(() => this.flush());
        if (this.toTell.length >= TOLD_MAX) this.flush();
        if (frame.type === 'ready') {
            this.sayWatched();
            void copy.catchUp();
        } else if (frame.type === 'lag') {
            void copy.catchUp();
        }
    }

    flush() {
        if (this.toTell.length === 0) return;
        this.tell({ type: 'frames', frames: this.toTell });
        this.toTell = [];
    }

    /** @param {ServerFrame} frame @param {string} device */
    take(frame, device) {
        if (frame.type === 'ack') outbox.acknowledge(device, frame.number, frame.position);
        else apply(frame);
    }

    /** @param {Message} message */
    told(message) {
        switch (message.type) {
            case 'frames':
                this.heardAt = Date.now();
                for (const { frame, device } of message.frames) this.take(frame, device);
                if (message.frames.some(({ frame }) => frame.type === 'nack' || frame.type === 'welcome')) void outbox.refresh();
                break;
            case 'beat':
                this.heardAt = Date.now();
                if (!this.connection) connection.value = message.how;
                break;
            case 'joined':
                if (this.connection) this.tell({ type: 'beat', how: connection.peek() });
                else this.tell({ type: 'watch', tab: this.tab, accounts: this.watched.get(this.tab) ?? [] });
                break;
            case 'outbox':
                void outbox.refresh();
                this.connection?.send();
                break;
            case 'say':
                this.connection?.say(message.frame);
                break;
            case 'watch':
                this.watched.set(message.tab, message.accounts);
                this.sayWatched();
                break;
            case 'left':
                if (this.watched.delete(message.tab)) this.sayWatched();
                break;
            case 'logged-out':
                this.loggedOut();
                break;
        }
    }

    beat() {
        if (this.connection) {
            this.tell({ type: 'beat', how: connection.peek() });
        } else if (Date.now() - this.heardAt > SILENT_MS && document.visibilityState === 'visible') {
            this.heardAt = Date.now();
            void copy.reload().then(() => this.wait(true));
        }
    }

    /** @param {Message} message */
    tell(message) {
        if (!this.isStopped) this.channel.postMessage(message);
    }

    /** @param {ClientFrame} frame */
    say(frame) {
        if (this.connection) this.connection.say(frame);
        else this.tell({ type: 'say', frame });
    }

    /** @param {string[]} accounts */
    watch(accounts) {
        this.watched.set(this.tab, accounts);
        if (this.connection) this.sayWatched();
        else this.tell({ type: 'watch', tab: this.tab, accounts });
    }

    sayWatched() {
        const accounts = [...new Set([...this.watched.values()].flat())].slice(0, 1000);
        this.connection?.say({ type: 'watch', accounts });
    }

    outboxChanged() {
        this.tell({ type: 'outbox' });
        this.connection?.send();
    }

    stop() {
        this.tell({ type: 'left', tab: this.tab });
        this.isStopped = true;
        clearInterval(this.timer);
        removeEventListener('pagehide', this.onLeave);
        removeEventListener('pageshow', this.onShow);
        this.resign();
        this.stopping.abort();
        this.channel.close();
    }
}

api.onLoggedOut(() => live?.tell({ type: 'logged-out' }));
