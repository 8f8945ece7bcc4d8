// The service worker: keeps the page's files, so that it starts without a network. `self.PAGE`, which the server puts before this
// text, has the hash of the files and their addresses. Nothing of the API is ever kept here.

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
