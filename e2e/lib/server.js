// The real server, on a folder of its own, for one test file or one test.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = process.env.WHARF_BIN ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target'), 'debug', 'wharf');

export const PASSWORD = 'correct horse battery';

/** A person's account and what a test does in their name, without a browser. */
export class Person {
    /** @param {Server} server @param {any} loggedIn */
    constructor(server, loggedIn) {
        this.server = server;
        this.token = loggedIn.token;
        this.account = loggedIn.account;
        this.id = loggedIn.account.id;
        this.username = loggedIn.account.username;
        this.password = PASSWORD;
        this.device = randomUUID();
        this.number = 0;
    }

    /** Asks the API; throws what it refuses. @param {string} method @param {string} route @param {any} [body] @returns {Promise<any>} */
    async ask(method, route, body) {
        return this.server.ask(method, route, body, this.token);
    }

    /** Says something in a room. @param {string} room @param {string | object} draft @returns {Promise<any>} */
    async say(room, draft) {
        this.number += 1;
        const said = typeof draft === 'string' ? { kind: 'text', text: draft } : draft;
        return this.ask('POST', `/rooms/${room}/log`, { device: this.device, number: this.number, draft: said, client_ms: Date.now() });
    }

    /** Puts a file of these bytes. @param {string} room @param {string} file @param {Uint8Array | string} bytes @returns {Promise<any>} */
    async put(room, file, bytes) {
        const answer = await fetch(`${this.server.url}/api/v1/rooms/${room}/content/${file.split('/').map(encodeURIComponent).join('/')}`, {
            method: 'PUT', body: /** @type {any} */ (bytes), headers: { authorization: `Bearer ${this.token}` },
        });
        if (!answer.ok) throw new Error(`PUT ${file}: ${answer.status} ${await answer.text()}`);
        return answer.json();
    }
}

export class Server {
    /** @param {string} folder @param {import('node:child_process').ChildProcess} process @param {{ url: string, setup_code: string }} said @param {string[]} args */
    constructor(folder, process, said, args) {
        this.folder = folder;
        this.args = args;
        this.process = process;
        this.url = said.url;
        this.setupCode = said.setup_code;
        /** @type {Person | null} */
        this.operator = null;
    }

    /** Starts a server that nobody has an account on. @param {{ args?: string[], listen?: string, folder?: string, signup?: string }} [options] */
    static async start({ args = [], listen = '127.0.0.1:0', folder, signup = 'open' } = {}) {
        const home = folder ?? (await mkdtemp(path.join(tmpdir(), 'wharf-page-')));
        return (await Server.run(home, ['serve', '--data', path.join(home, 'data'), '--listen', listen, '--signup', signup, ...args])).server;
    }

    /** Starts the demonstration: people who have done things for years. They have no sessions of the test's own. */
    static async demo() {
        const home = await mkdtemp(path.join(tmpdir(), 'wharf-page-'));
        const { server, said } = await Server.run(home, ['demo', '--listen', '127.0.0.1:0', '--keep', path.join(home, 'data')]);
        const logIn = async (/** @type {string} */ username) => {
            const { password } = said.accounts.find((/** @type {any} */ account) => account.username === username);
            const person = new Person(server, await server.ask('POST', '/login', { login: username, password, device: 'test' }));
            person.password = password;
            return person;
        };
        return { server, logIn };
    }

    /** Runs the program until it says where it listens. @param {string} home @param {string[]} args @returns {Promise<{ server: Server, said: any }>} */
    static async run(home, args) {
        const child = spawn(PROGRAM, ['--json', ...args], {
            stdio: ['ignore', 'pipe', 'pipe'],
            env: { ...process.env, WHARF_LOG: 'warn', XDG_CONFIG_HOME: home },
        });
        /** @type {string[]} */
        const log = [];
        child.stderr.on('data', (data) => {
            log.push(String(data));
            if (log.length > 200) log.shift();
        });
        const said = await new Promise((resolve, reject) => {
            readline.createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)));
            child.once('error', (error) => reject(new Error(`${PROGRAM}: ${error.message}; build it with cargo build -p wharf`)));
            child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${log.join('')}`)));
        });
        return { server: new Server(home, child, said, args), said };
    }

    /** Starts a server with an operator. @param {Parameters<typeof Server.start>[0]} [options] */
    static async withOperator(options) {
        const server = await Server.start(options);
        server.operator = await server.person('operator', { code: server.setupCode });
        return server;
    }

    /** Makes an account. @param {string} username @param {{ code?: string, nickname?: string }} [options] */
    async person(username, { code, nickname } = {}) {
        return new Person(this, await this.ask('POST', '/signup', { username, password: PASSWORD, code, nickname, device: 'test' }));
    }

    /** Makes two people contacts; returns their room. @param {Person} a @param {Person} b @returns {Promise<string>} */
    async befriend(a, b) {
        await a.ask('POST', '/contacts', { who: b.username, word: 'hello' });
        const contact = await b.ask('POST', `/contacts/${a.id}/accept`);
        return contact.room;
    }

    /** @param {string} method @param {string} route @param {any} [body] @param {string} [token] @returns {Promise<any>} */
    async ask(method, route, body, token) {
        const answer = await fetch(`${this.url}/api/v1${route}`, {
            method,
            body: body === undefined ? undefined : JSON.stringify(body),
            headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token ? { authorization: `Bearer ${token}` } : {}) },
        });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${text}`);
        return text ? JSON.parse(text) : undefined;
    }

    /** Ends the process as a crash would. */
    async kill() {
        const ended = new Promise((resolve) => this.process.once('exit', resolve));
        this.process.kill('SIGKILL');
        await ended;
    }

    /** Starts again on the same folder and port. */
    async restart() {
        const args = [...this.args];
        args[args.indexOf('--listen') + 1] = new URL(this.url).host;
        const { server } = await Server.run(this.folder, args);
        this.process = server.process;
    }

    async stop() {
        if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
        await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }
}
