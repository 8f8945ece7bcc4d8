// One live connection: says hello, hears, notices silence, sends the outbox, and comes back with growing pauses. docs/protocol/live.md.

import { checkSession } from '../api.js';
import * as outbox from '../store/outbox.js';

/** @typedef {import('../frames').ServerFrame} ServerFrame */
/** @typedef {import('../frames').ClientFrame} ClientFrame */

/** Most items under way. */
const WINDOW = 32;
const PAUSE_FIRST_MS = 1000;
const PAUSE_MAX_MS = 60_000;
/** How long an answer to the upgrade and to `hello` may be in coming. */
const PATIENCE_MS = 15_000;
/** The pause after a failure of the server. */
const FAILED_MS = 1000;
/** Refusals after which the number is free and the same is sent again. */
const PASSING = ['limited', 'unavailable', 'unauthenticated', 'internal'];

/**
 * @typedef {object} Listener
 * @property {() => { epoch: string, version: number, rooms: Record<string, { position: number, hash: string }> }} known what the device has
 * @property {() => import('../frames').Status} status what others are to see
 * @property {(frame: ServerFrame, device: string) => void} heard with the device that the connection speaks for
 * @property {(how: 'connecting' | 'live' | 'offline') => void} changed
 * @property {() => void} loggedOut
 */

export class Connection {
    /** @param {Listener} listener */
    constructor(listener) {
        this.listener = listener;
        /** @type {WebSocket | null} */
        this.socket = null;
        this.isClosed = false;
        this.isLive = false;
        this.failedCount = 0;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.timer = undefined;
        this.heardAt = 0;
        this.heartbeatMs = 15_000;
        this.pings = 0;
        /** @type {Sender | null} */
        this.sender = null;
        /** What the server has been told, or takes a connection for at first. @type {import('../frames').Status} */
        this.saidStatus = 'online';
        this.onOnline = () => this.hurry();
        this.onOffline = () => this.broken();
        addEventListener('online', this.onOnline);
        addEventListener('offline', this.onOffline);
        this.beat = setInterval(() => this.watch(), 1000);
        void this.dial();
    }

    async dial() {
        if (this.isClosed || this.socket) return;
        clearTimeout(this.timer);
        if (navigator.onLine === false) {
            this.listener.changed('offline');
            return;
        }
        if (this.failedCount === 0) this.listener.changed('connecting');
        const device = await this.device();
        if (this.isClosed || this.socket) return;
        if (!device) {
            this.broken();
            return;
        }
        const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/api/v1/live`, 'wharf.v1');
        this.socket = socket;
        this.heardAt = Date.now();
        socket.onopen = () => {
            const known = this.listener.known();
            this.sender = new Sender(device, (frame) => this.say(frame), () => this.redial());
            this.say({
                type: 'hello', version: 1, device: device.id, epoch: known.epoch || undefined, account_version: known.version, rooms: known.rooms, entries: true,
            });
            // At once, and not when it is live: who is invisible is not to be seen for a moment.
            this.sayStatus(this.listener.status());
        };
        socket.onmessage = ({ data }) => {
            if (socket === this.socket) this.hear(JSON.parse(data));
        };
        socket.onclose = () => {
            if (socket !== this.socket) return;
            // A refused upgrade does not say why. One reason is that the session has ended.
            if (this.sender === null) void checkSession();
            this.broken();
        };
    }

    /** The device to speak for, or null where the local copy cannot be read: the browser may have closed it under a tab in the background. */
    async device() {
        try {
            return await outbox.device();
        } catch (error) {
            console.warn('no device', error);
            return null;
        }
    }

    /** @param {ServerFrame} frame */
    hear(frame) {
        this.heardAt = Date.now();
        switch (frame.type) {
            case 'welcome':
                this.heartbeatMs = frame.heartbeat_seconds * 1000;
                this.sender?.welcomed(frame.number);
                break;
            case 'ready':
                this.failedCount = 0;
                this.isLive = true;
                break;
            case 'bye':
                if (frame.code === 'unauthenticated') {
                    this.close();
                    this.listener.loggedOut();
                    return;
                }
                this.broken();
                return;
            default:
                break;
        }
        this.listener.heard(frame, this.sender?.device.id ?? '');
        if (frame.type === 'ack') void this.sender?.acknowledged(frame);
        else if (frame.type === 'nack') void this.sender?.refused(frame);
        else if (frame.type === 'ready') {
            this.listener.changed('live');
            void this.sender?.work();
        }
    }

    /** Says something, if there is a connection to say it on. @param {ClientFrame} frame */
    say(frame) {
        if (this.socket?.readyState !== WebSocket.OPEN) return false;
        this.socket.send(JSON.stringify(frame));
        return true;
    }

    /** Says how the person is there. @param {import('../frames').Status} status */
    sayStatus(status) {
        if (this.sender && status !== this.saidStatus && this.say({ type: 'status', status })) this.saidStatus = status;
    }

    /** There is something new in the outbox. */
    send() {
        if (this.isLive) void this.sender?.work();
        else this.hurry();
    }

    /** Asks for a word when it has been silent, and gives it up when there is none. */
    watch() {
        if (!this.socket) return;
        const silent = Date.now() - this.heardAt;
        const patience = this.isLive ? 3 * this.heartbeatMs : PATIENCE_MS;
        if (silent > patience) this.broken();
        else if (this.isLive && silent > this.heartbeatMs) this.say({ type: 'ping', number: ++this.pings });
    }

    /** The connection is no more: again, after a pause. */
    broken() {
        this.hangUp();
        if (this.isClosed) return;
        this.failedCount += 1;
        const isOffline = navigator.onLine === false || this.failedCount > 2;
        this.listener.changed(isOffline ? 'offline' : 'connecting');
        const pause = Math.random() * Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** (this.failedCount - 1));
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.dial(), pause);
    }

    /** Another hello is needed, at once. */
    redial() {
        this.hangUp();
        void this.dial();
    }

    /** Something says that it may work now. */
    hurry() {
        if (this.socket) return;
        clearTimeout(this.timer);
        void this.dial();
    }

    hangUp() {
        const socket = this.socket;
        this.socket = null;
        this.isLive = false;
        this.saidStatus = 'online';
        this.sender?.stop();
        this.sender = null;
        socket?.close();
    }

    close() {
        this.isClosed = true;
        clearTimeout(this.timer);
        clearInterval(this.beat);
        removeEventListener('online', this.onOnline);
        removeEventListener('offline', this.onOffline);
        this.hangUp();
    }
}

/** Sends the outbox over one connection: in the order of its numbers, several under way, each until it is answered. */
class Sender {
    /** @param {{ id: string, number: number }} device @param {(frame: ClientFrame) => boolean} say @param {() => void} redial */
    constructor(device, say, redial) {
        this.device = device;
        this.say = say;
        this.redial = redial;
        /** The greatest number that the server has used. */
        this.used = 0;
        /** The last number that was sent on this connection. */
        this.sent = 0;
        /** @type {Set<number>} */
        this.underWay = new Set();
        /** What is under way is answered before it goes on from the first that has no answer. */
        this.isDraining = false;
        /** Another device id is needed: this one is shared, or the server has forgotten. */
        this.isLost = false;
        this.isStopped = false;
        this.isWorking = false;
        this.isAsked = false;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.timer = undefined;
    }

    /** @param {number} used */
    welcomed(used) {
        this.used = used;
        if (used > this.device.number) this.isLost = true;
    }

    /** Sends what can be sent; one run at a time. */
    async work() {
        this.isAsked = true;
        if (this.isWorking) return;
        this.isWorking = true;
        try {
            while (this.isAsked && !this.isStopped) {
                this.isAsked = false;
                await this.sendSome();
            }
        } finally {
            this.isWorking = false;
        }
    }

    async sendSome() {
        const items = await outbox.waiting(this.device.id);
        if (this.isStopped || this.timer !== undefined) return;
        if (this.underWay.size === 0) {
            const isAsked = !items.some((item) => item.number > this.sent && item.number <= this.used);
            if (this.isLost && (this.isDraining || isAsked)) {
                // Nothing of what is left is on the server.
                await outbox.moveDevice();
                if (!this.isStopped) this.redial();
                return;
            }
            if (this.isDraining) {
                this.isDraining = false;
                this.sent = 0;
            }
        }
        if (this.isDraining) return;
        for (const item of items) {
            if (item.number <= this.sent) continue;
            // What follows a number that the server may have used for something else waits for the answer.
            if (this.isLost && item.number > this.used) return;
            if (this.underWay.size >= WINDOW) return;
            if (!this.say({ type: 'send', number: item.number, room: item.room, draft: item.draft, client_ms: item.client_ms })) return;
            this.sent = item.number;
            this.underWay.add(item.number);
        }
    }

    /** @param {{ number: number }} ack */
    async acknowledged({ number }) {
        this.used = Math.max(this.used, number);
        await outbox.acknowledged(this.device.id, number);
        this.underWay.delete(number);
        await this.work();
    }

    /** @param {{ number: number, code: string, detail: string, expected?: number, retry_after_ms?: number }} nack */
    async refused({ number, code, detail, expected, retry_after_ms: pauseMs }) {
        if (PASSING.includes(code)) {
            this.isDraining = true;
            clearTimeout(this.timer);
            this.timer = setTimeout(() => {
                this.timer = undefined;
                void this.work();
            }, Math.max(pauseMs ?? FAILED_MS, 100));
        } else if (code === 'stale' && expected !== undefined) {
            // A number before it was refused for a while. Or the server has forgotten what it had answered.
            this.isDraining = true;
            const items = await outbox.waiting(this.device.id);
            if (items.length > 0 && expected < items[0].number) this.isLost = true;
        } else if (code === 'stale') {
            this.isLost = true;
            this.used = Math.max(this.used, number);
        } else {
            this.used = Math.max(this.used, number);
            await outbox.refused(this.device.id, number, code, detail);
        }
        this.underWay.delete(number);
        await this.work();
    }

    stop() {
        this.isStopped = true;
        clearTimeout(this.timer);
    }
}
