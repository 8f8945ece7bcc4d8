// One entry of the journal: when, what, and where it came from.

import * as fold from '../../fold.js';
import { html } from '../../html.js';
import { dateAndTime, size, t, timeOfDay } from '../../lang/index.js';
import { Icon } from '../../parts/icon.js';
import { markdown } from '../../parts/markdown.js';
import { me } from '../../session.js';
import { Attachment } from '../conversations/attachment.js';
import { authorName } from '../conversations/names.js';
import { versions } from './actions.js';
import { addressOf } from './address.js';
import { originOf } from './origins.js';

/** @typedef {import('../../types').Entry} Entry */
/** @typedef {import('../../types').Room} Room */

/** What a screen reader says of an entry. @param {Entry} entry */
function labelOf(entry) {
    const file = entry.body?.kind === 'file' ? t('conversations.file.label', { name: entry.body.name, size: size(entry.body.bytes) }) : '';
    return [timeOfDay(entry.at_ms), file, fold.textOf(entry), entry.state?.edited && t('journal.edited'), originOf(entry)].filter(Boolean).join(', ');
}

/** A tag in a text leads to the entries that have it. @param {string} name */
const tag = (name) => html`<a class="journal-tag" href=${addressOf({ tag: name.toLocaleLowerCase() })}>#${name}</a>`;

/**
 * @param {{ room: Room, entry: Entry, isMarked: boolean, act: import('./actions.js').Act, index?: number, count: number }} props `count` is -1 where it is not known
 */
export function EntryRow({ room, entry, isMarked, act, index, count }) {
    const text = fold.textOf(entry);
    const { body } = entry;
    const isOther = entry.account !== me.value?.id;
    return html`
        <article class=${`journal-entry ${isMarked ? 'is-marked' : ''}`} tabindex="-1" data-position=${entry.position} aria-label=${labelOf(entry)}
            aria-setsize=${count} aria-posinset=${index === undefined ? undefined : index + 1} onContextMenu=${(/** @type {MouseEvent} */ event) => act.menu(event, entry)}>
            <time class="journal-time" datetime=${new Date(entry.at_ms).toISOString()} title=${dateAndTime(entry.at_ms)}>${timeOfDay(entry.at_ms)}</time>
            <div class="journal-what">
                ${body?.kind === 'file' && html`<${Attachment} room=${room} entry=${entry} file=${body} act=${act} />`}
                ${text && html`<div class="md">${markdown(text, { tag })}</div>`}
                <p class="journal-origin soft small">
                    ${isOther && html`<bdi>${authorName(entry)}</bdi><span aria-hidden="true"> · </span>`}<bdi>${originOf(entry)}</bdi>
                    ${entry.state?.edited && html`<span aria-hidden="true"> · </span><button type="button" class="edited" title=${dateAndTime(entry.state.edited.at_ms)} onClick=${() => versions(room, entry)}>${t('journal.edited')}</button>`}
                </p>
            </div>
            <button type="button" class="icon-button journal-more" aria-label=${t('do.more')} aria-haspopup="menu" aria-expanded="false" onClick=${(/** @type {MouseEvent} */ event) => act.menu(event, entry)}><${Icon} name="more" /></button>
        </article>
    `;
}
