// Notifications: the setting, what the service worker shows of what the server sent, and what takes it away.
//
// Chromium as it is tested has no push service. One of this machine stands in for it, over the network: the page gets a subscription there from
// a replaced `PushManager`, the real server posts to it, and what it got is opened with the browser's keys and handed to the service worker by the
// browser's own means (`ServiceWorker.deliverPushMessage`).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsSideways, launch, listen, logIn, member, noFindings, picture, quiet, soon, until, visitor } from '../lib/browser.js';
import { Keys, PushService } from '../lib/push.js';
import { Server } from '../lib/server.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Server} */
let server;
/** @type {PushService} */
let service;
before(async () => {
    browser = await launch();
    service = await PushService.start();
    server = await Server.withOperator({ args: ['--push', 'anywhere', '--webhooks-ca', service.ca] });
});
after(async () => {
    await browser.close();
    await server.stop();
    await service.stop();
});

let subscriptions = 0;

/** A browser that may show notifications, with a subscription at the stand-in. */
async function device() {
    const page = await visitor(browser);
    const keys = new Keys();
    const path = `/push/${++subscriptions}`;
    await page.context().grantPermissions(['notifications'], { origin: server.url });
    await page.addInitScript(({ endpoint, keys }) => {
        const KEY = 'push-stand-in';
        const bound = () => {
            const text = localStorage.getItem(KEY) ?? '';
            return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0)).buffer;
        };
        const subscription = () => ({
            endpoint,
            options: { applicationServerKey: bound() },
            toJSON: () => ({ endpoint, expirationTime: null, keys }),
            unsubscribe: async () => {
                localStorage.removeItem(KEY);
                return true;
            },
        });
        PushManager.prototype.subscribe = async (/** @type {any} */ options) => {
            localStorage.setItem(KEY, options.applicationServerKey);
            return /** @type {any} */ (subscription());
        };
        PushManager.prototype.getSubscription = async () => /** @type {any} */ (localStorage.getItem(KEY) ? subscription() : null);
    }, { endpoint: service.url + path, keys: keys.json });
    const notices = () => service.posted.filter((posted) => posted.path === path).map(({ body }) => keys.open(body));
    return { page, path, notices };
}

/** Logs in and turns notifications on. @param {Page} page @param {import('../lib/server.js').Person} person */
async function turnOn(page, person) {
    await logIn(page, person);
    await page.goto(`${server.url}/settings/notifications`);
    const onSwitch = page.getByRole('switch', { name: 'Notify me on this device' });
    await soon(async () => assert.equal(await onSwitch.isChecked(), false));
    await onSwitch.click();
    await until(() => onSwitch.isChecked(), 'notifications are on');
}

/** The service worker. @param {Page} page */
const worker = (page) => until(() => page.context().serviceWorkers()[0], 'a service worker');

/**
 * Hands a message to the service worker as the browser's push service does, and waits until it has dealt with it: Chromium may take a notification for one that
 * was closed, if it is asked for those that are shown while it is about to show it.
 * @param {Page} page @param {string} data
 */
async function deliver(page, data) {
    const own = await worker(page);
    const handled = () => own.evaluate(() => {
        const scope = /** @type {any} */ (self);
        if (scope.handled === undefined) {
            scope.handled = 0;
            const { waitUntil } = scope.ExtendableEvent.prototype;
            scope.ExtendableEvent.prototype.waitUntil = function (/** @type {Promise<unknown>} */ work) {
                if (this.type === 'push') void work.finally(() => { scope.handled += 1; });
                return waitUntil.call(this, work);
            };
        }
        return scope.handled;
    });
    const before = await handled();
    const devtools = await page.context().newCDPSession(page);
    /** @type {string | undefined} */
    let registrationId;
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        registrationId = registrations.find(({ scopeURL }) => scopeURL.startsWith(server.url))?.registrationId ?? registrationId;
    });
    await devtools.send('ServiceWorker.enable');
    await until(() => registrationId, 'a registration');
    await devtools.send('ServiceWorker.deliverPushMessage', { origin: server.url, registrationId: String(registrationId), data });
    await until(async () => (await handled()) > before, 'the message is dealt with');
    await devtools.detach();
}

/** Leaves the page: nobody looks at it any more. @param {Page} page */
async function leave(page) {
    const own = await worker(page);
    await page.goto('about:blank');
    await until(() => own.evaluate(async () => (await /** @type {any} */ (self).clients.matchAll({ type: 'window', includeUncontrolled: true })).length === 0), 'the page is closed');
}

/** What is shown. @param {Page} page */
async function shown(page) {
    return (await worker(page)).evaluate(async () => {
        const notifications = await /** @type {any} */ (self).registration.getNotifications();
        return notifications.map((/** @type {any} */ { title, body, tag, data }) => ({ title, body, tag, data }));
    });
}

test('what was said while nobody looked is shown, and a click opens the conversation', async () => {
    const [ada, ben] = [await server.person('ada', { nickname: 'Ada' }), await server.person('ben', { nickname: 'Ben' })];
    const room = await server.befriend(ada, ben);
    const { page, notices } = await device();
    await turnOn(page, ada);
    await noFindings(page);
    await picture(page, 'settings-notifications', { widths: [1280, 360] });
    await worker(page);

    const said = await ben.say(room, 'Lunch at *one*?');
    await until(() => notices().length > 0, 'a notice');
    const notice = notices()[0];
    assert.deepEqual(JSON.parse(notice), { room, position: said.position, at_ms: said.at_ms, content: { from: 'Ben', text: 'Lunch at *one*?' } });
    // Somebody looks at the page: nothing is shown.
    await page.bringToFront();
    await deliver(page, JSON.stringify({ room: 'elsewhere', position: 1, at_ms: 1 }));
    assert.deepEqual(await shown(page), []);
    // The page is closed.
    await leave(page);
    await deliver(page, notice);
    await until(async () => (await shown(page)).length === 1, 'a notification');
    await soon(async () => assert.deepEqual(await shown(page), [{ title: 'Ben', body: 'Lunch at *one*?', tag: `room-${room}`, data: { room, position: said.position } }]));
    // Another one of the same room takes its place.
    const next = await ben.say(room, 'Or at two?');
    await until(() => notices().length > 1, 'another notice');
    await deliver(page, notices()[1]);
    await until(async () => (await shown(page))[0]?.data.position === next.position, 'the other notification');
    await soon(async () => assert.equal((await shown(page)).length, 1));
    // What makes no sense shows nothing.
    for (const bad of ['', 'no json', '{}', '[]', 'null']) await deliver(page, bad);
    await deliver(page, JSON.stringify({ room: 'elsewhere', position: 1, at_ms: 1, content: { from: 'Eve', room: 'Team', text: 'plan.pdf', is_file: true } }));
    await until(async () => (await shown(page)).length === 2, 'one of another room');
    await soon(async () => assert.deepEqual((await shown(page)).find((/** @type {any} */ one) => one.tag === 'room-elsewhere'), { title: 'Eve · Team', body: '📎 plan.pdf', tag: 'room-elsewhere', data: { room: 'elsewhere', position: 1 } }));

    await page.goto(`${server.url}/settings/appearance`);
    await page.getByRole('heading', { name: 'Appearance', level: 2 }).waitFor();
    await (await worker(page)).evaluate(async (tag) => {
        const scope = /** @type {any} */ (self);
        const [notification] = await scope.registration.getNotifications({ tag });
        scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification }));
    }, `room-${room}`);
    await page.waitForURL(`${server.url}/c/${room}`);
    await until(async () => (await shown(page)).length === 0, 'what was read, and of rooms that are not there, is taken away');
    assert.deepEqual(service.complaints, []);
    quiet(page);
    await page.context().close();
});

test('what was read on another device is taken away', async () => {
    const [cleo, dan] = [await server.person('cleo'), await server.person('dan', { nickname: 'Dan' })];
    const room = await server.befriend(cleo, dan);
    const { page, notices } = await device();
    await turnOn(page, cleo);
    await worker(page);
    const said = await dan.say(room, 'are you there?');
    await until(() => notices().length > 0, 'a notice');
    await leave(page);
    await deliver(page, notices()[0]);
    await until(async () => (await shown(page)).length === 1, 'a notification');
    await page.goto(`${server.url}/settings/appearance`);
    await page.getByRole('heading', { name: 'Appearance', level: 2 }).waitFor();
    await soon(async () => assert.equal((await shown(page)).length, 1, 'it was not read'));
    await cleo.ask('PUT', `/rooms/${room}/read`, { position: said.position });
    await until(async () => (await shown(page)).length === 0, 'it is taken away');
    quiet(page);
    await page.context().close();
});

test('content is hidden where the person wants it, in their language, and turning it off ends it', async () => {
    const [emil, fay] = [await server.person('emil'), await server.person('fay')];
    const room = await server.befriend(emil, fay);
    const { page, notices } = await device();
    await turnOn(page, emil);
    const hide = page.getByRole('switch', { name: 'Hide who wrote, where and what' });
    await hide.click();
    await until(() => hide.isChecked(), 'content is hidden');
    await page.reload();
    await until(() => hide.isChecked(), 'it stays hidden');
    await page.goto(`${server.url}/settings/appearance`);
    await page.getByRole('radio', { name: '中文' }).check();
    await page.getByRole('heading', { name: '外观', level: 2 }).waitFor();
    await fay.say(room, 'a secret');
    await until(() => notices().length > 0, 'a notice');
    assert.deepEqual(Object.keys(JSON.parse(notices()[0])).sort(), ['at_ms', 'position', 'room']);
    await leave(page);
    await deliver(page, notices()[0]);
    await until(async () => (await shown(page)).length === 1, 'a notification');
    const [{ title, body }] = await shown(page);
    assert.deepEqual([title, body], ['Wharf', '有新消息']);

    await page.goto(`${server.url}/settings/notifications`);
    const onSwitch = page.getByRole('switch', { name: '在此设备上通知我' });
    await until(() => onSwitch.isChecked(), 'it is on after a reload');
    // A click that comes while the page looks how it stands, as it does when somebody comes back to it, counts.
    await onSwitch.evaluate(async (/** @type {HTMLElement} */ element) => {
        const pause = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
        const { fetch } = window;
        window.fetch = async (...request) => {
            await pause(300);
            return fetch(...request);
        };
        dispatchEvent(new Event('focus'));
        await pause(100);
        window.fetch = fetch;
        element.click();
    });
    await until(async () => !(await onSwitch.isChecked()), 'it is off');
    await until(async () => (await shown(page)).length === 0, 'what was shown is taken away');
    await soon(async () => assert.equal(await page.evaluate(() => localStorage.getItem('push-stand-in')), null));
    await page.reload();
    await onSwitch.waitFor();
    await soon(async () => assert.equal(await onSwitch.isChecked(), false));
    quiet(page);
    await page.context().close();
});

test('a browser that lost its subscription has it again, and none after logging out', async () => {
    const [gil, hedi] = [await server.person('gil'), await server.person('hedi')];
    const room = await server.befriend(gil, hedi);
    const { page, path, notices } = await device();
    await turnOn(page, gil);
    service.gone.add(path);
    await hedi.say(room, 'into the void');
    const state = () => page.evaluate(async () => (await (await fetch('/api/v1/push')).json()).subscription ?? null);
    await until(async () => (await state()) === null, 'the push service said that it is no more');
    service.gone.delete(path);
    await page.reload();
    await until(async () => (await state()) !== null, 'the page has mended it');
    await hedi.say(room, 'can you hear me?');
    await until(() => notices().length === 1, 'a notice');

    await page.goto(`${server.url}/settings/devices`);
    await page.getByRole('listitem').filter({ hasText: 'This device' }).getByRole('button', { name: /^Log out/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await until(() => page.evaluate(() => localStorage.getItem('push-stand-in') === null), 'the browser has let go of it');
    quiet(page);
    await page.context().close();
});

test('the setting says what is in the way', async () => {
    const iva = await server.person('iva');
    for (const [spoil, text] of /** @type {const} */ ([
        ["Object.defineProperty(window, 'isSecureContext', { value: false })", 'begin with https'],
        ['delete window.PushManager', 'no notifications for pages'],
        ["Object.defineProperty(Notification, 'permission', { value: 'denied' })", 'told to refuse'],
    ])) {
        const page = await member(browser, iva, { width: 360, height: 700 });
        await page.addInitScript(spoil);
        await page.goto(`${server.url}/settings/notifications`);
        await page.getByRole('status').filter({ hasText: text }).waitFor();
        await soon(async () => assert.equal(await page.getByRole('switch').count(), 0));
        await fitsSideways(page);
        await noFindings(page);
        quiet(page);
        await page.context().close();
    }
    // The browser's own push service, which this Chromium has none of.
    const page = await visitor(browser);
    await page.context().grantPermissions(['notifications'], { origin: server.url });
    await page.addInitScript(() => {
        PushManager.prototype.subscribe = () => Promise.reject(new DOMException('Registration failed - push service not available', 'AbortError'));
    });
    await logIn(page, iva);
    await page.goto(`${server.url}/settings/notifications`);
    await page.getByRole('switch').click();
    await page.getByRole('alert').getByText('could not reach its push service').waitFor();
    await soon(async () => assert.equal(await page.getByRole('switch').isChecked(), false));
    quiet(page);
    await page.context().close();
});

test('a server that is killed goes on telling', async () => {
    const [jon, kim] = [await server.person('jon'), await server.person('kim')];
    const room = await server.befriend(jon, kim);
    const { page, notices } = await device();
    await turnOn(page, jon);
    await kim.say(room, 'before');
    await until(() => notices().length === 1, 'a notice');
    const key = service.posted.at(-1)?.key;
    await leave(page);
    await server.kill();
    await server.restart();
    await kim.say(room, 'after');
    await until(() => notices().length === 2, 'another notice');
    assert.equal(JSON.parse(notices()[1]).content.text, 'after');
    assert.equal(service.posted.at(-1)?.key, key, 'with the same key');
    assert.deepEqual(service.complaints, []);
    await page.context().close();
});

test('a server that sends none says so', async () => {
    const silent = await Server.withOperator({ args: ['--push', 'off'] });
    try {
        const lou = await silent.person('lou');
        const page = await visitor(browser);
        await page.context().grantPermissions(['notifications'], { origin: silent.url });
        listen(page);
        await logIn(page, lou);
        await page.goto(`${silent.url}/settings/notifications`);
        await page.getByRole('status').filter({ hasText: 'This server sends no notifications.' }).waitFor();
        quiet(page);
        await page.context().close();
    } finally {
        await silent.stop();
    }
});
