// The frame around the views: the rail, the list, the main column, the banner, and what is heard everywhere.

import { html, signal, useEffect, useLayoutEffect, useState } from '../html.js';
import { LANGUAGES, addTexts, language, setLanguage, t } from '../lang/index.js';
import { Avatar } from '../parts/avatar.js';
import { confirm } from '../parts/dialog.js';
import { Icon } from '../parts/icon.js';
import { openMenu } from '../parts/menu.js';
import { Notes, attempt } from '../parts/notice.js';
import { Spinner } from '../parts/progress.js';
import { STATUSES, chosen as chosenStatus, setStatus, status } from '../live/status.js';
import { go, place, to } from '../router.js';
import * as session from '../session.js';
import { connection, outboxCount } from '../store/index.js';
import * as storage from '../store/storage.js';
import { viewsFor } from '../views/index.js';
import { showHelp } from './help.js';
import { EVERYWHERE, bind, useKeys } from './keys.js';
import { setTheme, theme } from './theme.js';

/** @typedef {import('../views/index.js').View} View */
/** @typedef {import('../views/index.js').ViewModule} ViewModule */

/** Whether the screen is so narrow that there is one column. */
export const isNarrow = signal(false);
const narrow = matchMedia('(max-width: 719px)');
isNarrow.value = narrow.matches;
narrow.addEventListener('change', () => {
    isNarrow.value = narrow.matches;
});

/** @type {Map<string, ViewModule>} */
const loaded = new Map();

/** Loads a view with its texts; it is drawn at once from then on. @param {View} view */
export async function load(view) {
    const [module] = await Promise.all([view.load(), view.texts ? addTexts(view.texts) : undefined]);
    loaded.set(view.id, module);
    return module;
}

/** The module of a view, once it is there. @param {View | undefined} view */
function useModule(view) {
    const [, show] = useState(0);
    const [failed, setFailed] = useState(/** @type {string | null} */ (null));
    // At once: what was loaded between the drawing and this would not be seen.
    useLayoutEffect(() => {
        if (!view || loaded.has(view.id)) return;
        let isWanted = true;
        load(view).then(
            () => isWanted && show((count) => count + 1),
            (error) => {
                console.error(error);
                if (isWanted) setFailed(view.id);
            },
        );
        return () => {
            isWanted = false;
        };
    }, [view]);
    return { module: view && loaded.get(view.id), hasFailed: view !== undefined && failed === view.id };
}

const everywhere = bind(EVERYWHERE, {
    'key.help': showHelp,
    'key.landmark': () => nextLandmark(1),
    'key.landmark.before': () => nextLandmark(-1),
}, [{ keys: 'Escape', text: 'key.escape' }]);

/** Moves the focus to the next area of the page. @param {1 | -1} step */
function nextLandmark(step) {
    const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-landmark]')]).filter((area) => area.offsetParent !== null);
    const index = all.findIndex((area) => area.contains(document.activeElement));
    all.at((index + step) % all.length)?.focus();
}

export function Shell() {
    useKeys(everywhere);
    const account = session.me.value;
    const views = account ? viewsFor(account) : [];
    const { path } = place.value;
    const view = views.find((view) => view.route === path[0]);
    const { module, hasFailed } = useModule(view);
    useLayoutEffect(() => {
        if (path.length === 0 && views[0]) go(to(views[0].route), { replace: true });
    }, [path.length === 0]);
    const isDeep = module?.isDeep ? module.isDeep(place.value) : path.length > 1;
    const List = module?.List;
    const Main = module?.Main;
    const isOnlyMain = isNarrow.value && (isDeep || !List);
    const isOnlyList = isNarrow.value && !isDeep && List;
    return html`
        <a class="skip" href="#main" onClick=${skip}>${t('shell.skip')}</a>
        <div class=${`shell ${isNarrow.value ? 'is-narrow' : ''} ${List ? 'has-list' : ''} ${isOnlyMain && isDeep ? 'is-deep' : ''}`}>
            <header class="shell-head">
                <h1 class="sr-only">${view ? t(view.label) : 'Wharf'}</h1>
                <${Banner} />
                <${Storage} />
            </header>
            <${Rail} views=${views} current=${view} />
            ${List && !isOnlyMain && html`
                <${isOnlyList ? 'main' : 'section'} class="shell-list" id=${isOnlyList ? 'main' : undefined} aria-label=${isOnlyList && view ? t(view.label) : t('shell.list')} tabindex="-1" data-landmark><${List} place=${place.value} /><//>
            `}
            ${!isOnlyList && html`
                <main class="shell-main" id="main" aria-label=${view ? t(view.label) : t('shell.main')} tabindex="-1" data-landmark>
                    ${Main ? html`<${Main} key=${view?.id} place=${place.value} />`
                        : hasFailed ? html`<div class="empty"><p>${t('shell.failed')}</p><button type="button" class="button" onClick=${() => location.reload()}>${t('do.retry')}</button></div>`
                        : view || path.length === 0 ? html`<div class="empty"><${Spinner} label=${t('shell.loading')} /></div>`
                        : html`<div class="empty"><p>${t('shell.gone')}</p><a class="button" href="/">${t('shell.gone.home')}</a></div>`}
                </main>
            `}
        </div>
        <${Notes} />
    `;
}

/** @param {Event} event */
function skip(event) {
    event.preventDefault();
    document.getElementById('main')?.focus();
}

/** Says that there is no connection, and how much waits for one. */
function Banner() {
    const how = connection.value;
    const [isLate, setLate] = useState(false);
    useEffect(() => {
        // A connection that comes back at once needs no word.
        setLate(false);
        if (how === 'live') return;
        const timer = setTimeout(() => setLate(true), how === 'offline' ? 0 : 1500);
        return () => clearTimeout(timer);
    }, [how]);
    const waiting = outboxCount.value;
    const text = how === 'live' || !isLate ? ''
        : how === 'offline' ? (waiting > 0 ? t('shell.offline.waiting', { n: waiting }) : t('shell.offline'))
        : t('shell.connecting');
    return html`<div class="banner" role="status" hidden=${text === ''}><${Icon} name="info" />${text}</div>`;
}

/** Says that this browser keeps nothing, or soon can keep no more, until somebody has read it. */
function Storage() {
    const found = storage.problem.value;
    const [read, setRead] = useState(/** @type {string | null} */ (null));
    const isShown = found !== null && found !== read;
    return html`<div class="banner" role="status" hidden=${!isShown}>
        ${isShown && html`<${Icon} name="error" /><span>${t(found === 'full' ? 'shell.storage.full' : 'shell.storage')}</span>
            <button type="button" class="icon-button" aria-label=${t('do.close')} onClick=${() => setRead(found)}><${Icon} name="close" /></button>`}
    </div>`;
}

/** @param {{ views: View[], current: View | undefined }} props */
function Rail({ views, current }) {
    return html`
        <nav class="rail" aria-label=${t('shell.rail')} tabindex="-1" data-landmark>
            <ul>
                ${views.map((view) => {
                    const count = view.count?.() ?? 0;
                    return html`
                        <li><a class="rail-item inset-focus" href=${to(view.route)} aria-current=${view === current ? 'page' : undefined}>
                            <${Icon} name=${view.icon} />
                            <span class="rail-label">${t(view.label)}</span>
                            ${count > 0 && html`<span class="badge rail-count">${count > 99 ? '99+' : count}</span>`}
                        </a></li>
                    `;
                })}
            </ul>
            <${Own} />
        </nav>
    `;
}

/** The button with the own account: theme, language, help, log out. */
function Own() {
    const account = session.me.value;
    if (!account) return null;
    const isLive = connection.value === 'live';
    const show = (/** @type {MouseEvent} */ event) => {
        const at = /** @type {Element} */ (event.currentTarget);
        openMenu(at, [
            { label: `${t('shell.status')}: ${t(status.value === chosenStatus.value ? `shell.status.${status.value}` : 'shell.status.idle')}`, icon: 'user', run: () => chooseStatus(at) },
            { label: `${t('shell.theme')}: ${t(`shell.theme.${theme.value}`)}`, icon: 'theme', run: () => chooseTheme(at) },
            { label: `${t('shell.language')}: ${LANGUAGES.find(([code]) => code === language.value)?.[1]}`, icon: 'language', run: () => chooseLanguage(at) },
            { label: t('shell.help'), icon: 'keyboard', run: showHelp },
            { label: t('shell.logout'), icon: 'logout', isDanger: true, run: askLogOut },
        ], { label: account.nickname });
    };
    return html`
        <button type="button" class="rail-own inset-focus" aria-haspopup="menu" aria-expanded="false" aria-label=${`${t('shell.account')}: ${account.nickname}, ${t(isLive ? `shell.status.${status.value}` : 'shell.offline')}`} onClick=${show}>
            <${Avatar} id=${account.id} name=${account.nickname} status=${isLive ? status.value : 'offline'} />
        </button>
    `;
}

/** @param {Element} at */
function chooseStatus(at) {
    openMenu(at, STATUSES.map((name) => ({ label: t(`shell.status.${name}`), isChecked: chosenStatus.value === name, run: () => setStatus(name) })), { label: t('shell.status') });
}

/** @param {Element} at */
function chooseTheme(at) {
    const names = /** @type {import('./theme.js').Theme[]} */ (['system', 'light', 'dark']);
    openMenu(at, names.map((name) => ({ label: t(`shell.theme.${name}`), isChecked: theme.value === name, run: () => setTheme(name) })));
}

/** @param {Element} at */
function chooseLanguage(at) {
    openMenu(at, LANGUAGES.map(([code, name]) => ({ label: name, isChecked: language.value === code, run: () => void attempt(() => setLanguage(code)) })));
}

/** Asks whether to log out, and does. */
export async function askLogOut() {
    const n = outboxCount.value;
    const text = n > 0 ? t('shell.logout.waiting', { n }) : undefined;
    if (await confirm({ title: t('shell.logout.ask'), text, yes: t('shell.logout'), isDanger: n > 0 })) await attempt(() => session.logOut());
}
