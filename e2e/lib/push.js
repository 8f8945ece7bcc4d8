// The other end of Web Push, for tests: a push service over TLS on this machine that checks what it is sent as RFC 8030 and 8292 have it, and
// a browser's keys, which open it (RFC 8291). Chromium without its maker's services has no push service of its own.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** @param {Buffer} bytes */
const text64 = (bytes) => bytes.toString('base64url');
/** @param {string} text */
const bytes64 = (text) => Buffer.from(text, 'base64url');

/** A browser's side of a subscription. */
export class Keys {
    constructor() {
        this.ecdh = createECDH('prime256v1');
        this.public = this.ecdh.generateKeys();
        this.auth = randomBytes(16);
    }

    /** What `PushSubscription.toJSON` has as `keys`. */
    get json() {
        return { p256dh: text64(this.public), auth: text64(this.auth) };
    }

    /** Opens what was sealed for it. @param {Buffer} sealed */
    open(sealed) {
        const sender = sealed.subarray(21, 21 + sealed[20]);
        const record = sealed.subarray(21 + sealed[20]);
        const derive = (/** @type {Buffer} */ secret, /** @type {Buffer} */ salt, /** @type {Buffer} */ info, /** @type {number} */ bytes) => Buffer.from(hkdfSync('sha256', secret, salt, info, bytes));
        const secret = derive(this.ecdh.computeSecret(sender), this.auth, Buffer.concat([Buffer.from('WebPush: info\0'), this.public, sender]), 32);
        const salt = sealed.subarray(0, 16);
        const cipher = createDecipheriv('aes-128-gcm', derive(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16), derive(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12));
        cipher.setAuthTag(record.subarray(-16));
        const opened = Buffer.concat([cipher.update(record.subarray(0, -16)), cipher.final()]);
        const end = opened.findLastIndex((byte) => byte !== 0);
        assert.equal(opened[end], 2, 'the mark of the last record');
        return opened.subarray(0, end).toString();
    }
}

export class PushService {
    /** @param {string} folder @param {https.Server} server */
    constructor(folder, server) {
        this.folder = folder;
        this.server = server;
        this.url = '';
        /** The certificate that it is known by. */
        this.ca = path.join(folder, 'cert.pem');
        /** What came, by the path that it was posted to. @type {{ path: string, body: Buffer, key: string }[]} */
        this.posted = [];
        /** @type {unknown[]} */
        this.complaints = [];
        /** Paths that are no more. @type {Set<string>} */
        this.gone = new Set();
    }

    static async start() {
        const folder = mkdtempSync(path.join(tmpdir(), 'wharf-push-'));
        execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=push',
            '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', path.join(folder, 'key.pem'), '-out', path.join(folder, 'cert.pem')], { stdio: 'pipe' });
        const server = https.createServer({ key: readFileSync(path.join(folder, 'key.pem')), cert: readFileSync(path.join(folder, 'cert.pem')) });
        const service = new PushService(folder, server);
        server.on('request', (request, response) => {
            /** @type {Buffer[]} */
            const parts = [];
            request.on('data', (part) => parts.push(part));
            request.on('end', () => response.writeHead(service.take(request, Buffer.concat(parts))).end());
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
        service.url = `https://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
        return service;
    }

    /** @param {import('node:http').IncomingMessage} request @param {Buffer} body */
    take(request, body) {
        try {
            if (this.gone.has(request.url ?? '')) return 410;
            const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(request.headers.authorization ?? '') ?? [];
            this.check(token ?? '', key ?? '');
            assert.equal(request.method, 'POST');
            assert.equal(request.headers['content-encoding'], 'aes128gcm');
            assert.match(String(request.headers.ttl), /^\d+$/);
            assert.match(String(request.headers.topic), /^[\w-]{1,32}$/);
            assert.ok(body.length <= 4096);
            this.posted.push({ path: request.url ?? '', body, key: key ?? '' });
            return 201;
        } catch (error) {
            this.complaints.push(error);
            return 400;
        }
    }

    /** Checks a server's word for itself. @param {string} token @param {string} key */
    check(token, key) {
        const point = bytes64(key);
        const jwk = { kty: 'EC', crv: 'P-256', x: text64(point.subarray(1, 33)), y: text64(point.subarray(33)) };
        const [header, claims, signature] = token.split('.');
        assert.ok(verify('sha256', Buffer.from(`${header}.${claims}`), { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, bytes64(signature)), 'a wrong signature');
        const { aud, exp } = JSON.parse(bytes64(claims).toString());
        assert.equal(aud, this.url);
        const now = Date.now() / 1000;
        assert.ok(exp > now && exp <= now + 86_400, `the end of the word: ${exp}`);
    }

    async stop() {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
        await rm(this.folder, { recursive: true, force: true });
    }
}
