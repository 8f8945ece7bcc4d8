// What is on its way up, at the foot of the drives: how far, and what can be done about it.

import { html, useRef, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { openMenu } from '../../parts/menu.js';
import { attempt, fail } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { Progress } from '../../parts/progress.js';
import * as queue from '../../transfer/queue.js';
import { chosenFiles } from './chosen.js';

const LINES_MAX = 100;
/** What needs somebody comes first. */
const ORDER = { failed: 0, taken: 0, absent: 0, going: 1, paused: 2, waiting: 3, done: 4 };

export function Uploads() {
    const all = queue.uploads.value.filter((upload) => !upload.saying);
    const [isOpen, setOpen] = useState(true);
    if (all.length === 0) return null;
    const count = (/** @type {queue.State[]} */ ...states) => all.filter(({ state }) => states.includes(state)).length;
    const done = count('done');
    const needy = count('failed', 'taken', 'absent');
    const isOver = done + needy === all.length;
    const isMoving = count('going', 'waiting') > 0;
    const bytes = all.reduce((sum, upload) => sum + upload.bytes, 0);
    const doneBytes = all.reduce((sum, { state, doneBytes }) => sum + (state === 'going' || state === 'paused' || state === 'done' ? doneBytes : 0), 0);
    const text = needy > 0 ? t('drive.uploads.failed', { n: needy }) : isOver ? t('drive.uploads.done', { n: done }) : t('drive.uploads.going', { n: all.length - done });
    const shown = [...all].sort((a, b) => ORDER[a.state] - ORDER[b.state]).slice(0, LINES_MAX);
    const button = (/** @type {import('../../parts/icon.js').IconName} */ icon, /** @type {string} */ label, /** @type {() => Promise<void>} */ run) => html`
        <button type="button" class="icon-button" aria-label=${label} title=${label} onClick=${() => void attempt(run)}><${Icon} name=${icon} /></button>`;
    return html`
        <section class="drive-uploads" aria-label=${t('drive.uploads')} tabindex="-1" data-landmark>
            <header class="row">
                <span class="grow one-line" role="status">${text}</span>
                ${!isOver && (isMoving ? button('pause', t('drive.uploads.pause'), () => queue.pause()) : button('play', t('drive.uploads.resume'), () => queue.resume()))}
                <button type="button" class="icon-button" aria-expanded=${String(isOpen)} aria-label=${t('drive.uploads.show')} onClick=${() => setOpen(!isOpen)}><${Icon} name="chevron" class=${isOpen ? 'drive-way is-down' : 'drive-way'} /></button>
                ${button('close', isOver && needy === 0 ? t('do.close') : t('drive.uploads.cancel'), () => queue.cancelAll())}
            </header>
            ${!isOver && html`<${Progress} value=${doneBytes} max=${Math.max(1, bytes)} label=${t('drive.uploads')} />`}
            ${count('absent') > 0 && html`<${Again} />`}
            ${isOpen && html`<ul class="scroll">${shown.map((upload) => html`<${Line} key=${upload.id} upload=${upload} />`)}</ul>`}
        </section>
    `;
}

/** Where the browser could not keep files over a reload, the person shows them again; what had arrived is not sent again. */
function Again() {
    const files = useRef(/** @type {HTMLInputElement | null} */ (null));
    const folder = useRef(/** @type {HTMLInputElement | null} */ (null));
    const taken = (/** @type {any} */ event) => {
        const chosen = chosenFiles(event.currentTarget.files);
        event.currentTarget.value = '';
        if (chosen.length > 0 && queue.giveAll(chosen) === 0) fail(t('drive.upload.other'));
    };
    const ask = (/** @type {MouseEvent} */ event) => openMenu(/** @type {Element} */ (event.currentTarget), [
        { label: t('drive.upload.again.files'), icon: 'file', run: () => files.current?.click() },
        { label: t('drive.upload.again.folder'), icon: 'drive', run: () => folder.current?.click() },
    ]);
    return html`
        <div class="drive-again">
            <span class="grow small">${t('drive.upload.again')}</span>
            <input type="file" multiple hidden ref=${files} data-again="files" onChange=${taken} />
            <input type="file" hidden webkitdirectory ref=${folder} data-again="folder" onChange=${taken} />
            <button type="button" class="button" aria-haspopup="menu" aria-expanded="false" onClick=${ask}>${t('drive.upload.choose')}</button>
        </div>
    `;
}

/** What is said of one. @param {queue.Shown} upload */
function stateOf({ state, doneBytes, bytes, error }) {
    if (state === 'going') return `${size(doneBytes)} / ${size(bytes)}`;
    if (state !== 'failed') return t(`drive.upload.${state}`);
    const left = /** @type {any} */ (error)?.leftBytes;
    return left === undefined ? message(error) : t('drive.full.text', { needed: size(bytes), left: size(left) });
}

/** @param {{ upload: queue.Shown }} props */
function Line({ upload }) {
    const { id, state } = upload;
    const name = queue.nameOf(upload);
    const button = (/** @type {import('../../parts/icon.js').IconName} */ icon, /** @type {string} */ label, /** @type {() => Promise<void>} */ run) => html`
        <button type="button" class="icon-button" aria-label=${`${label}: ${name}`} title=${label} onClick=${() => void attempt(run)}><${Icon} name=${icon} /></button>`;
    return html`
        <li class="drive-upload">
            <span class="grow"><span class="one-line">${name}</span><span class=${`small ${state === 'failed' || state === 'taken' || state === 'absent' ? 'wrong' : 'soft'}`}>${stateOf(upload)}</span>
                ${state === 'going' && html`<${Progress} value=${upload.doneBytes} max=${Math.max(1, upload.bytes)} label=${name} />`}</span>
            ${state === 'taken' && html`
                <button type="button" class="button quiet" onClick=${() => void attempt(() => queue.replace(id))}>${t('drive.replace')}</button>
                <button type="button" class="button quiet" onClick=${() => void attempt(() => queue.keepBoth(id))}>${t('drive.both')}</button>`}
            ${state === 'going' && button('pause', t('drive.upload.pause'), () => queue.pause(id))}
            ${state === 'paused' && button('play', t('drive.upload.resume'), () => queue.resume(id))}
            ${state === 'failed' && button('play', t('do.retry'), () => queue.resume(id))}
            ${state === 'done' ? html`<${Icon} name="check" class="drive-good" />` : button('close', t('do.cancel'), () => queue.cancel(id))}
        </li>
    `;
}
