// Notifications on this device.

import { html, useEffect, useId, useRef, useState } from '../../html.js';
import { t } from '../../lang/index.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import * as push from '../../push.js';

/** Why there can be none here, whatever the switch says. */
const OBSTACLES = ['insecure', 'unsupported', 'server', 'denied'];

/** @param {unknown} error */
const words = (error) => (error instanceof push.PushServiceError ? t('settings.notifications.failed') : message(error));

export function Notifications() {
    const [problem, setProblem] = useState('');
    const before = useRef(Promise.resolve());
    /** Does one after the other: what is asked for while the page looks how it stands is done after that. @param {() => Promise<void>} work */
    const run = (work) => {
        before.current = before.current.then(async () => {
            setProblem('');
            await work().catch((error) => setProblem(words(error)));
        });
    };
    useEffect(() => {
        const look = () => run(push.look);
        look();
        // The person may come back from the browser's settings.
        addEventListener('focus', look);
        return () => removeEventListener('focus', look);
    }, []);
    const state = push.state.value;
    return html`
        <p class="soft">${t('settings.notifications.text')}</p>
        <section class="card section-card settings-choice" aria-label=${t('settings.notifications')}>
            ${state === 'unknown' && !problem && html`<${Spinner} label=${t('shell.loading')} />`}
            ${OBSTACLES.includes(state) && html`<p class="notice" role="status">${t(`settings.notifications.${state}`)}</p>`}
            ${(state === 'on' || state === 'off') && html`
                <${Switch} label=${t('settings.notifications.on')} hint=${t('settings.notifications.on.hint')} isOn=${state === 'on'}
                    set=${(/** @type {boolean} */ isOn) => run(isOn ? push.turnOn : push.turnOff)} />
            `}
            ${state === 'on' && html`
                <${Switch} label=${t('settings.notifications.hide')} hint=${t('settings.notifications.hide.hint')} isOn=${push.hidesContent.value}
                    set=${(/** @type {boolean} */ isOn) => run(() => push.setHidesContent(isOn))} />
            `}
            ${problem && html`<p class="notice bad" role="alert">${problem}</p>`}
        </section>
        <p class="soft small">${t('settings.notifications.rooms')}</p>
    `;
}

/** @param {{ label: string, hint: string, isOn: boolean, set: (isOn: boolean) => void }} props */
function Switch({ label, hint, isOn, set }) {
    const id = useId();
    // It shows what is so, not what was asked for.
    const change = (/** @type {any} */ event) => {
        const wanted = event.currentTarget.checked;
        event.currentTarget.checked = isOn;
        set(wanted);
    };
    return html`
        <div>
            <label><input type="checkbox" role="switch" checked=${isOn} aria-describedby=${id} onChange=${change} /><span>${label}</span></label>
            <p class="soft small" id=${id}>${hint}</p>
        </div>
    `;
}
