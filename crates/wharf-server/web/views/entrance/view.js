// What somebody sees who is not logged in: set-up of a new server, log in, sign up; and links into rooms, for who is.

import * as api from '../../api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../html.js';
import { LANGUAGES, language, setLanguage, t } from '../../lang/index.js';
import { Field, Password, useWork } from '../../parts/form.js';
import { attempt } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { go, place, to } from '../../router.js';
import * as session from '../../session.js';

/** An invitation's address is /join/CODE, the set-up's /setup/CODE, that of a link into a room /enter/CODE. */
export function Entrance() {
    const { path } = place.value;
    const info = session.server.value;
    const code = path[1] ?? '';
    const needsSetup = info?.needs_setup ?? path[0] === 'setup';
    const asked = needsSetup ? 'setup' : path[0] === 'join' || path[0] === 'setup' ? 'signup' : 'login';
    const [chosen, choose] = useState(/** @type {'signup' | 'login' | null} */ (null));
    const screen = needsSetup ? 'setup' : (chosen ?? asked);
    const isClosed = info?.signup === 'closed';
    return html`
        <div class="entrance scroll">
            <main class="entrance-card" id="main">
                <img class="entrance-logo" src=${new URL('../../icons/wharf.svg', import.meta.url).href} alt="" width="56" height="56" />
                ${screen === 'login'
                    ? html`<${LogIn} other=${() => choose('signup')} />`
                    : html`<${SignUp} isSetup=${needsSetup} needsCode=${needsSetup || info?.signup === 'invitation'} isClosed=${isClosed && !needsSetup} code=${code} other=${needsSetup ? null : () => choose('login')} />`}
            </main>
            <${Languages} />
        </div>
    `;
}

function Languages() {
    return html`
        <footer class="entrance-languages" aria-label=${t('shell.language')}>
            ${LANGUAGES.map(([code, name]) => html`
                <button type="button" lang=${code} aria-pressed=${String(language.value === code)} onClick=${() => void attempt(() => setLanguage(code))}>${name}</button>
            `)}
        </footer>
    `;
}

/** @param {unknown} error */
const badLogin = (error) => (error instanceof api.ApiError && error.code === 'unauthenticated' ? t('entrance.login.bad') : message(error));

/** The first field of a form has the focus when it appears. */
function useFirstFocus() {
    const ref = useRef(/** @type {HTMLFormElement | null} */ (null));
    useLayoutEffect(() => {
        const field = [...(ref.current?.querySelectorAll('input') ?? [])].find((input) => input.value === '');
        field?.focus();
    }, []);
    return ref;
}

/** @param {{ other: () => void }} props */
function LogIn({ other }) {
    const [login, setLogin] = useState('');
    const [password, setPassword] = useState('');
    const form = useFirstFocus();
    const { isBusy, problem, run } = useWork(async () => {
        await session.logIn(login.trim(), password);
        if (['join', 'setup'].includes(place.value.path[0])) go('/', { replace: true });
    }, badLogin);
    return html`
        <h1>${t('entrance.login.title')}</h1>
        <p class="soft">${t('entrance.tagline')}</p>
        <form class="column" ref=${form} onSubmit=${run}>
            <${Field} label=${t('entrance.account')} name="username" autocomplete="username" value=${login} set=${setLogin} />
            <${Password} label=${t('entrance.password')} autocomplete="current-password" value=${password} set=${setPassword} />
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
            <button class="button primary" disabled=${isBusy}>${t('entrance.login')}</button>
        </form>
        <button type="button" class="button quiet" onClick=${other}>${session.server.value?.signup === 'open' ? t('entrance.new') : t('entrance.need')}</button>
    `;
}

/** @param {{ isSetup: boolean, needsCode: boolean, isClosed: boolean, code: string, other: (() => void) | null }} props */
function SignUp({ isSetup, needsCode, isClosed, code: given, other }) {
    const [code, setCode] = useState(given);
    const [username, setUsername] = useState('');
    const [nickname, setNickname] = useState('');
    const [password, setPassword] = useState('');
    const form = useFirstFocus();
    const { isBusy, problem, run } = useWork(async () => {
        await session.signUp({
            username: username.trim(),
            password,
            nickname: nickname.trim() || undefined,
            code: code.trim() || undefined,
        });
        if (place.value.path[0] !== 'enter') go('/', { replace: true });
    });
    if (isClosed) {
        return html`
            <h1>${t('entrance.signup.title')}</h1>
            <p>${t('entrance.signup.closed')}</p>
            ${other && html`<button type="button" class="button" onClick=${other}>${t('entrance.have')}</button>`}
        `;
    }
    return html`
        <h1>${isSetup ? t('entrance.setup.title') : t('entrance.signup.title')}</h1>
        <p class="soft">${isSetup ? t('entrance.setup.text') : t('entrance.tagline')}</p>
        <form class="column" ref=${form} onSubmit=${run}>
            ${needsCode && html`<${Field} label=${t('entrance.code')} hint=${isSetup ? t('entrance.code.hint.setup') : t('entrance.code.hint.invitation')} name="code" autocomplete="one-time-code" value=${code} set=${setCode} />`}
            <${Field} label=${t('entrance.username')} hint=${t('entrance.username.hint')} name="username" autocomplete="username" pattern="[A-Za-z][A-Za-z0-9._\\-]*" maxlength="32" value=${username} set=${setUsername} />
            <${Field} label=${t('entrance.nickname')} name="nickname" autocomplete="nickname" isOptional value=${nickname} set=${setNickname} />
            <${Password} label=${t('entrance.password')} hint=${t('entrance.password.hint')} autocomplete="new-password" minlength="8" value=${password} set=${setPassword} />
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
            <button class="button primary" disabled=${isBusy}>${t('entrance.create')}</button>
        </form>
        ${other && html`<button type="button" class="button quiet" onClick=${other}>${t('entrance.have')}</button>`}
    `;
}

/** A link into a room, for somebody who is logged in: what the room is, and the button that enters. @param {{ code: string }} props */
export function EnterRoom({ code }) {
    const [room, setRoom] = useState(/** @type {import('../../types').RoomInvitation | null} */ (null));
    const [problem, setProblem] = useState('');
    useEffect(() => {
        api.get('/join', { code }).then(setRoom, (error) => {
            setProblem(error instanceof api.ApiError && error.code === 'not_found' ? t('entrance.join.bad') : message(error));
        });
    }, [code]);
    const { isBusy, problem: refused, run } = useWork(async () => {
        const joined = await api.post('/join', { code });
        go(to('c', joined.id), { replace: true });
    });
    return html`
        <div class="entrance scroll">
            <main class="entrance-card" id="main">
                <img class="entrance-logo" src=${new URL('../../icons/wharf.svg', import.meta.url).href} alt="" width="56" height="56" />
                ${problem ? html`<p class="notice bad" role="alert">${problem}</p><a class="button" href="/">${t('shell.gone.home')}</a>`
                    : !room ? html`<${Spinner} label=${t('shell.loading')} />`
                    : html`
                        <h1>${t('entrance.join.title', { name: room.name })}</h1>
                        ${room.topic && html`<p>${room.topic}</p>`}
                        <p class="soft">${t('entrance.join.members', { n: room.member_count })}</p>
                        <form onSubmit=${run} class="column">
                            ${refused && html`<p class="notice bad" role="alert">${refused}</p>`}
                            <button class="button primary" disabled=${isBusy}>${t('entrance.join.go')}</button>
                            <a class="button" href="/">${t('do.cancel')}</a>
                        </form>
                    `}
            </main>
        </div>
    `;
}
