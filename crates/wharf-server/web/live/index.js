// The live stream for all tabs of this browser: one of them, the leader, has the connection; it applies what comes, writes it into the local
// copy, and tells the others, which apply it to their memory.
//
// Who leads is decided by a Web Lock, which the browser takes from a tab that closes or dies. A tab that is frozen keeps its lock and says
// nothing any more: when the leader has not been heard for a while, another one takes the lock away from it. What the frozen one had not told the
// others by then is told to the new leader by the server, since its hello says only what it has itself.
//
// The others have what the leader has: it tells all of it to a tab that joins, and to everybody when it begins to lead, and from then on each
// change. What a tab read from the local copy before it listened is only shown until then: the copy is written behind the frames, and
// frames that were told before the tab listened come no second time.
//
// A tab without the local copy has a connection of its own: what is written in it is in its memory alone.

import * as api from '../api.js';
import { effect } from '../html.js';
import { newId } from '../id.js';
import { adopt, apply } from '../store/apply.js';
import * as outbox from '../store/outbox.js';
import { connection, snapshot } from '../store/model.js';
import * as copy from '../store/copy.js';
import { existing } from '../store/timeline.js';
import { Connection } from './connection.js';
import { isIdle, status } from './status.js';

/** @typedef {import('../frames').ServerFrame} ServerFrame */
/** @typedef {import('../frames').ClientFrame} ClientFrame */

/** How often the leader says that it is there. */
const BEAT_MS = 2000;
/** How long a leader may be silent before another takes its place. */
const SILENT_MS = 10_000;
/** Frames that come in one turn are told together. */
const TOLD_MAX = 200;
/** How long nobody may touch a tab before the person is away. */
const IDLE_MS = 10 * 60_000;
/** How often a tab says that somebody is at it. */
const ACTIVE_MS = 30_000;
const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'];

/**
 * @typedef {{ type: 'frames', frames: { frame: ServerFrame, device: string }[] }
 *   | { type: 'beat', how: 'connecting' | 'live' | 'offline' }
 *   | { type: 'joined', tab: string }
 *   | { type: 'state', to: string | null, state: import('../store/model.js').Snapshot, acknowledged: [string, number][] }
 *   | { type: 'gap', room: string, entries: import('../types').Entry[] | null }
 *   | { type: 'outbox' }
 *   | { type: 'active' }
 *   | { type: 'say', frame: ClientFrame }
 *   | { type: 'watch', tab: string, accounts: string[] }
 *   | { type: 'left', tab: string }
 *   | { type: 'logged-out' }} Message
 */

/** What tabs say of the person, and not of what they have: also those with a connection of their own tell and hear it. @type {Message['type'][]} */
const OF_THE_PERSON = ['active', 'logged-out'];

/** @type {Live | null} */
let live = null;

/** Begins, for an account. `loggedOut` is called when the session has ended. @param {string} account @param {boolean} isKept whether this tab has the local copy @param {() => void} loggedOut */
export function start(account, isKept, loggedOut) {
    live = new Live(account, isKept, loggedOut);
}

/** Ends. The other tabs are told if the person has logged out: what they share with this one is taken away. @param {boolean} isLoggedOut */
export function stop(isLoggedOut) {
    if (isLoggedOut) live?.tell({ type: 'logged-out' });
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
    /** @param {string} account @param {boolean} isKept @param {() => void} loggedOut */
    constructor(account, isKept, loggedOut) {
        // Without the local copy the others cannot send what is written here, nor this tab what is written there.
        this.isAlone = !isKept;
        this.account = account;
        this.loggedOut = loggedOut;
        this.tab = newId();
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
        /** What takes the last request for the lock back, as long as it waits. */
        this.asking = new AbortController();
        this.timer = setInterval(() => this.beat(), BEAT_MS);
        this.onLeave = () => this.tell({ type: 'left', tab: this.tab });
        addEventListener('pagehide', this.onLeave);
        // A page that comes back from the browser's cache has missed everything.
        this.onShow = (/** @type {PageTransitionEvent} */ event) => {
            if (event.persisted) location.reload();
        };
        addEventListener('pageshow', this.onShow);
        this.activeAt = 0;
        this.onTouch = () => {
            if (Date.now() - this.activeAt < ACTIVE_MS && !isIdle.peek()) return;
            this.active();
            this.tell({ type: 'active' });
        };
        for (const name of TOUCHES) addEventListener(name, this.onTouch, { capture: true, passive: true, signal: this.stopping.signal });
        this.stopStatus = effect(() => {
            const now = status.value;
            this.connection?.sayStatus(now);
        });
        void this.wait();
        this.tell({ type: 'joined', tab: this.tab });
        this.onTouch();
    }

    /** Somebody is at this browser. */
    active() {
        this.activeAt = Date.now();
        isIdle.value = false;
    }

    /** Waits to lead, and leads until it is stopped or another takes the lock away. */
    async wait(steal = false) {
        if (this.isAlone || !navigator.locks) {
            await this.lead();
            return;
        }
        // A request that still waits would be this tab's second: it could be granted while the other one takes the lock away from it.
        this.asking.abort();
        const asking = (this.asking = new AbortController());
        const options = steal ? { steal: true } : { signal: asking.signal };
        try {
            await navigator.locks.request(this.name, options, () => (asking.signal.aborted ? undefined : this.lead()));
        } catch {
            // Another took the lock, or this tab stops, or asks anew.
            if (this.asking !== asking) return;
            this.resign();
            if (!this.isStopped) {
                this.heardAt = Date.now();
                await copy.reload();
                void this.wait();
                this.tell({ type: 'joined', tab: this.tab });
            }
        }
    }

    /** Has the connection until it is stopped. */
    lead() {
        if (this.isStopped) return undefined;
        this.connection = new Connection({
            known: copy.known,
            status: () => status.peek(),
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
        this.tellState(null);
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
        if (frame.type === 'ready') this.sayWatched();
        if (frame.type === 'ready' || frame.type === 'lag') void copy.catchUp((room, entries) => this.tell({ type: 'gap', room, entries }));
    }

    /** Tells a tab, or all, everything that this one has. @param {string | null} to */
    tellState(to) {
        this.flush();
        this.tell({ type: 'state', to, state: snapshot(), acknowledged: outbox.acknowledgements() });
    }

    /** A tab has joined: what it reads from the copy must be there before it is told where the rooms stand. @param {string} tab */
    async welcome(tab) {
        this.tell({ type: 'beat', how: connection.peek() });
        await copy.settled();
        if (this.connection) this.tellState(tab);
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
        if (this.isAlone && !OF_THE_PERSON.includes(message.type)) return;
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
                if (this.connection) void this.welcome(message.tab);
                else this.tell({ type: 'watch', tab: this.tab, accounts: this.watched.get(this.tab) ?? [] });
                break;
            case 'state':
                if (this.connection || (message.to ?? this.tab) !== this.tab) break;
                this.heardAt = Date.now();
                adopt(message.state);
                outbox.adopt(message.acknowledged);
                break;
            case 'gap':
                if (message.entries === null) existing(message.room)?.reset();
                for (const entry of message.entries ?? []) existing(message.room)?.live(entry);
                break;
            case 'outbox':
                void outbox.refresh();
                this.connection?.send();
                break;
            case 'active':
                this.active();
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
        isIdle.value = Date.now() - this.activeAt > IDLE_MS;
        if (this.connection) {
            this.tell({ type: 'beat', how: connection.peek() });
        } else if (Date.now() - this.heardAt > SILENT_MS && document.visibilityState === 'visible') {
            this.heardAt = Date.now();
            void copy.reload().then(() => {
                if (!this.connection && !this.isStopped) void this.wait(true);
            });
        }
    }

    /** @param {Message} message */
    tell(message) {
        if (this.isStopped || (this.isAlone && !OF_THE_PERSON.includes(message.type))) return;
        this.channel.postMessage(message);
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
        this.asking.abort();
        this.stopStatus();
        this.channel.close();
    }
}

api.onLoggedOut(() => live?.tell({ type: 'logged-out' }));
