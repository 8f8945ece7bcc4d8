// A file in a message: an image, film or sound in place, or a card; and the viewer.

import * as api from '../../api.js';
import { html, useLayoutEffect, useRef, useState } from '../../html.js';
import { size, t } from '../../lang/index.js';
import { open } from '../../parts/dialog.js';
import { Icon } from '../../parts/icon.js';
import { attempt, say } from '../../parts/notice.js';

/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('../../types').File} File */
/** @typedef {import('../../types').Room} Room */

const IMAGES = ['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif', 'bmp', 'svg'];
const FILMS = ['mp4', 'webm', 'm4v', 'mov', 'ogv'];
const SOUNDS = ['mp3', 'ogg', 'oga', 'opus', 'wav', 'm4a', 'flac', 'aac'];
const WIDTH_MAX = 420;
const HEIGHT_MAX = 360;

/** What a file is, by its name. @param {string} name @returns {'image' | 'film' | 'sound' | 'other'} */
export function kindOf(name) {
    const ending = name.split('.').pop()?.toLowerCase() ?? '';
    if (IMAGES.includes(ending)) return 'image';
    if (FILMS.includes(ending)) return 'film';
    if (SOUNDS.includes(ending)) return 'sound';
    return 'other';
}

/** Where a file's bytes are. @param {string} room @param {{ node: string, revision: number }} file */
export const addressOf = (room, file) => api.url(`/rooms/${room}/content`, { id: file.node, revision: file.revision });

/** Images up to here are shown as they are. */
const PLAIN_BYTES_MAX = 100 * 1024;
/** The sizes of thumbnails, on their longer side. */
const THUMBNAIL_SIZES = [320, 1280];

/**
 * Where the picture of an image is that fills a box on this screen: a thumbnail, or the image itself where it is small, moves, or is of a kind that the server makes none of.
 * @param {string} room @param {{ node: string, revision: number, name: string, bytes: number }} file @param {{ width: number, height: number }} box
 */
export function pictureOf(room, file, box) {
    if (file.bytes <= PLAIN_BYTES_MAX || !/\.(jpe?g|png|webp)$/i.test(file.name)) return addressOf(room, file);
    const wanted = Math.max(box.width, box.height) * devicePixelRatio;
    const found = THUMBNAIL_SIZES.find((pixels) => pixels >= wanted) ?? THUMBNAIL_SIZES[1];
    return api.url(`/rooms/${room}/thumbnail`, { id: file.node, revision: file.revision, size: found });
}

/** The box that is kept for an image before it has loaded. @param {[number, number] | undefined} dimensions @param {number} [widthMax] @param {number} [heightMax] */
function boxOf(dimensions, widthMax = WIDTH_MAX, heightMax = HEIGHT_MAX) {
    const [width, height] = dimensions && dimensions[0] > 0 && dimensions[1] > 0 ? dimensions : [320, 240];
    const scale = Math.min(1, widthMax / width, heightMax / height);
    return { width: Math.max(48, Math.round(width * scale)), height: Math.max(48, Math.round(height * scale)) };
}

/** @param {{ room: Room, entry: Entry, file: File, act: import('./actions.js').Act }} props */
export function Attachment({ room, entry, file, act }) {
    const kind = kindOf(file.name);
    const address = addressOf(room.id, file);
    const [isBroken, setBroken] = useState(false);
    const [hasThumbnail, setThumbnail] = useState(true);
    const box = boxOf(/** @type {any} */ (file.dimensions));
    // What has no thumbnail after all is shown as it is.
    const picture = hasThumbnail ? pictureOf(room.id, file, box) : address;
    const style = { width: `${box.width}px`, aspectRatio: `${box.width} / ${box.height}` };
    if (!isBroken && kind === 'image') {
        return html`<button type="button" class="picture" style=${style} aria-label=${t('conversations.file.view', { name: file.name })} onClick=${() => act.view(entry)}>
            <img src=${picture} alt=${file.name} width=${box.width} height=${box.height} loading="lazy" decoding="async" onError=${() => (picture === address ? setBroken(true) : setThumbnail(false))} /></button>`;
    }
    if (!isBroken && kind === 'film') {
        return html`<video class="film" style=${style} src=${address} controls preload="metadata" aria-label=${file.name} onError=${() => setBroken(true)}></video>`;
    }
    return html`
        ${!isBroken && kind === 'sound' && html`<audio class="sound" src=${address} controls preload="none" aria-label=${file.name} onError=${() => setBroken(true)}></audio>`}
        <${Card} room=${room.id} file=${file} />
    `;
}

/** @param {{ room: string, file: { node: string, revision: number, name: string, bytes: number } }} props */
export function Card({ room, file }) {
    const ending = file.name.includes('.') ? (file.name.split('.').pop() ?? '').slice(0, 4) : '';
    return html`
        <div class="file-card">
            <span class="file-sign" aria-hidden="true">${ending || html`<${Icon} name="file" />`}</span>
            <span class="grow"><bdi class="file-name">${file.name}</bdi><span class="soft small">${size(file.bytes)}</span></span>
            <a class="icon-button" href=${addressOf(room, file)} download=${file.name} aria-label=${t('conversations.file.download', { name: file.name })}><${Icon} name="download" /></a>
            <button type="button" class="icon-button" aria-label=${t('conversations.file.save', { name: file.name })} title=${t('conversations.file.save', { name: '' })} onClick=${() => save(room, file)}><${Icon} name="drive" /></button>
        </div>
    `;
}

/** Puts a file into the own drive, without moving its bytes. @param {string} room @param {{ node: string, revision: number, name: string }} file */
function save(room, file) {
    void attempt(async () => {
        await api.post(`/rooms/${room}/save`, { node: file.node, revision: file.revision, folder: '' });
        say(t('conversations.file.saved', { name: file.name }));
    });
}

/** Shows an image or film over everything; arrows go to the ones before and after. @param {Room} room @param {Entry[]} all with files that can be shown @param {number} position */
export function view(room, all, position) {
    void open(({ close }) => html`<${Viewer} room=${room} all=${all} position=${position} close=${close} />`);
}

/** @param {{ room: Room, all: Entry[], position: number, close: () => void }} props */
function Viewer({ room, all, position, close }) {
    const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
    const [index, setIndex] = useState(Math.max(0, all.findIndex((entry) => entry.position === position)));
    const [isLarge, setLarge] = useState(false);
    useLayoutEffect(() => ref.current?.showModal(), []);
    const file = /** @type {File} */ (/** @type {any} */ (all[index]?.body));
    const step = (/** @type {number} */ by) => {
        setLarge(false);
        setIndex((held) => Math.min(all.length - 1, Math.max(0, held + by)));
    };
    const key = (/** @type {KeyboardEvent} */ event) => {
        if (event.key === 'ArrowLeft') step(-1);
        else if (event.key === 'ArrowRight') step(1);
        else if (event.key === '+' || event.key === '-') setLarge(event.key === '+');
        else return;
        event.preventDefault();
    };
    const address = addressOf(room.id, file);
    return html`
        <dialog class="viewer" ref=${ref} aria-label=${file.name} onKeyDown=${key} onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); close(); }}>
            <header class="viewer-head">
                <bdi class="grow one-line">${file.name}</bdi>
                <span class="small">${index + 1} / ${all.length}</span>
                <a class="icon-button" href=${address} download=${file.name} aria-label=${t('conversations.file.download', { name: file.name })}><${Icon} name="download" /></a>
                <button type="button" class="icon-button" aria-label=${t('do.close')} onClick=${() => close()}><${Icon} name="close" /></button>
            </header>
            <div class=${`viewer-stage ${isLarge ? 'is-large' : ''}`} onClick=${(/** @type {Event} */ event) => event.target === event.currentTarget && close()}>
                ${kindOf(file.name) === 'film'
                    ? html`<video key=${address} src=${address} controls autoplay></video>`
                    : html`<img key=${address} src=${address} alt=${file.name} onClick=${() => setLarge(!isLarge)} />`}
            </div>
            ${index > 0 && html`<button type="button" class="icon-button viewer-before" aria-label=${t('conversations.file.before')} onClick=${() => step(-1)}><${Icon} name="back" /></button>`}
            ${index < all.length - 1 && html`<button type="button" class="icon-button viewer-after" aria-label=${t('conversations.file.after')} onClick=${() => step(1)}><${Icon} name="chevron" /></button>`}
        </dialog>
    `;
}

/** Width and height of an image or film, if the browser can tell. @param {globalThis.File} file @returns {Promise<[number, number] | undefined>} */
export async function measure(file) {
    const kind = kindOf(file.name);
    if (kind !== 'image' && kind !== 'film') return undefined;
    const address = URL.createObjectURL(file);
    try {
        if (kind === 'image') {
            const image = new Image();
            image.src = address;
            await image.decode();
            return image.naturalWidth > 0 ? [image.naturalWidth, image.naturalHeight] : undefined;
        }
        const film = document.createElement('video');
        await new Promise((resolve, reject) => {
            film.onloadedmetadata = resolve;
            film.onerror = reject;
            setTimeout(reject, 5000);
            film.src = address;
        });
        return film.videoWidth > 0 ? [film.videoWidth, film.videoHeight] : undefined;
    } catch {
        return undefined;
    } finally {
        URL.revokeObjectURL(address);
    }
}
