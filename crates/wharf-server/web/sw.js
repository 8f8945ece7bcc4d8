// The service worker: keeps the page's files, so that it starts without a network. `self.PAGE`, which the server puts before this
// text, has the hash of the files and their addresses. Nothing of the API is ever kept here. It also shows what the server tells of while nobody
// looks at the page.

const CACHE = `wharf-${self.PAGE.hash}`;

self.addEventListener('install', (event) => {
    // Where the browser can do it, this worker is not woken for what it would only hand on.
    event.addRoutes?.([
        { condition: { urlPattern: { pathname: '/a/*' } }, source: 'cache' },
        { condition: { urlPattern: { pathname: '/api/*' } }, source: 'network' },
    ])?.catch((error) => console.warn('no routes', error));
    event.waitUntil((async () => {
        const cache = await caches.open(CACHE);
        await cache.addAll([...self.PAGE.files, '/']);
        await self.skipWaiting();
    })());
});

self.addEventListener('activate', (event) => {
    event.waitUntil((async () => {
        // The files of the page before this one stay for as long as a tab may still run it: until the next but one.
        const names = (await caches.keys()).filter((name) => name.startsWith('wharf-') && name !== CACHE);
        for (const name of names.slice(0, -1)) await caches.delete(name);
        await self.clients.claim();
    })());
});

self.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== 'GET' || url.origin !== self.location.origin) return;
    if (url.pathname.startsWith('/a/')) {
        event.respondWith(kept(request));
    } else if (request.mode === 'navigate' && !url.pathname.startsWith('/api/')) {
        event.respondWith(shell(request));
    }
});

/** A file of the page: its address changes with it, so what is kept is right. */
async function kept(request) {
    return (await caches.match(request)) ?? fetch(request);
}

/** The shell: the server's, or the one that is kept where there is no server to be had. */
async function shell(request) {
    try {
        const answer = await fetch(request);
        if (answer.ok || answer.status < 500) return answer;
    } catch {
        // Offline.
    }
    return (await caches.match('/', { cacheName: CACHE })) ?? Response.error();
}

// --- notices (docs/protocol/http.md)

self.addEventListener('push', (event) => event.waitUntil(told(event.data)));

/** Shows what was said, unless the page is being looked at. @param {PushMessageData | null} data */
async function told(data) {
    const notice = read(data);
    if (!notice) return;
    const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    if (tabs.some((tab) => tab.visibilityState === 'visible')) return;
    const { room, position, content } = notice;
    const texts = await keptTexts();
    const icon = self.PAGE.files.find((file) => file.endsWith('/icons/wharf-192.png'));
    // One for each room, the last: it takes the place of the one that has its tag.
    await self.registration.showNotification(content ? [content.from, content.room].filter(Boolean).join(' · ') : 'Wharf', {
        body: content ? (content.is_file ? `📎 ${content.text}` : content.text) : texts.hidden,
        lang: content ? undefined : texts.language,
        tag: `room-${room}`,
        renotify: true,
        timestamp: notice.at_ms,
        icon,
        badge: icon,
        data: { room, position },
    });
}

/** @param {PushMessageData | null} data */
function read(data) {
    try {
        const notice = data?.json();
        return typeof notice?.room === 'string' && typeof notice.position === 'number' ? notice : null;
    } catch {
        return null;
    }
}

/** The texts that the page left, in the person's language. */
async function keptTexts() {
    const kept = await caches.match('/push-texts', { cacheName: 'push-texts' }).catch(() => undefined);
    return (await kept?.json().catch(() => null)) ?? { hidden: 'New message', language: 'en' };
}

self.addEventListener('notificationclick', (event) => {
    event.notification.close();
    const { room } = event.notification.data ?? {};
    if (room) event.waitUntil(open(room));
});

/** Shows a conversation: in a tab that is there, else in a new one. @param {string} room */
async function open(room) {
    const tabs = await self.clients.matchAll({ type: 'window' });
    const tab = tabs.find((tab) => tab.visibilityState === 'visible') ?? tabs[0];
    if (!tab) {
        await self.clients.openWindow(`/c/${encodeURIComponent(room)}`);
        return;
    }
    // A browser may not let it have the focus; it goes there all the same.
    await tab.focus().catch(() => {});
    tab.postMessage({ type: 'open', room });
}

self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(moved(event)));

/** The push service has another address for this browser: the server is told. The page does it when it is opened, if this fails. */
async function moved(event) {
    const push = await (await fetch('/api/v1/push')).json();
    if (!push.key || !push.subscription) return;
    const options = { userVisibleOnly: true, applicationServerKey: push.key };
    const subscription = event.newSubscription ?? (await self.registration.pushManager.subscribe(options));
    const { endpoint, keys } = subscription.toJSON();
    await fetch('/api/v1/push/subscription', {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ endpoint, p256dh: keys.p256dh, auth: keys.auth, hides_content: push.subscription.hides_content }),
    });
}
