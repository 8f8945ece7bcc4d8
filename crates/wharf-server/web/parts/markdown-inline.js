// What is within a block of CommonMark: emphasis, strong, strikethrough, code, links, bare addresses, mentions, and line breaks. All of it is bounded.

import { html } from '../html.js';

/** Signs of emphasis and brackets in one block; what is over is text. */
const SIGNS_MAX = 400;
const ADDRESS = /^(https?:\/\/|mailto:)[^\s<>]+$/i;
const BARE = /\bhttps?:\/\/[^\s<>]*[^\s<>.,:;!?'")\]}]/gi;

/**
 * @typedef {object} Options
 * @property {(name: string) => any} [mention] shows `@name`, or gives null where nobody is called so
 * @property {(name: string) => any} [tag] shows `#name`, as `tags` of wharf-core finds it: a number after a hash is none
 * @property {boolean} [isDocument] whether it is a file: headings are headings, and the lines of a paragraph flow together; in a message a new line is a new line
 */

/** An address that may become a link, or null. @param {string} address */
export const safeAddress = (address) => (ADDRESS.test(address) ? address : null);

/**
 * @typedef {{ text?: string, node?: any, sign?: string, count?: number, canOpen?: boolean, canClose?: boolean }} Piece
 */

const WORD = /[\p{L}\p{N}]/u;

/** What is within a block. @param {string} text @param {Options} options @param {boolean} [isInLink] @returns {any[]} */
export function inline(text, options, isInLink = false) {
    /** @type {Piece[]} */
    const pieces = [];
    let plain = '';
    let signs = 0;
    const flush = () => {
        if (plain) pieces.push(...plainPieces(plain, options, isInLink));
        plain = '';
    };
    for (let index = 0; index < text.length; ) {
        const letter = text[index];
        if (letter === '\\' && text[index + 1] === '\n') index += 1;
        else if (letter === '\\' && /[!-/:-@[-`{-~]/.test(text[index + 1] ?? '')) {
            plain += text[index + 1];
            index += 2;
        } else if (letter === '`') {
            const mark = /^`+/.exec(text.slice(index, index + 40))?.[0] ?? '`';
            const end = signs < SIGNS_MAX ? closing(text, index + mark.length, mark) : -1;
            signs += 1;
            if (end < 0) {
                plain += mark;
                index += mark.length;
            } else {
                flush();
                const code = text.slice(index + mark.length, end).replace(/\n/g, ' ');
                pieces.push({ node: html`<code dir="ltr">${/^ .*\S.* $/.test(code) ? code.slice(1, -1) : code}</code>` });
                index = end + mark.length;
            }
        } else if (letter === '\n') {
            const isHard = !options.isDocument || / {2}$/.test(plain) || text[index - 1] === '\\';
            if (isHard) {
                if (options.isDocument) plain = plain.replace(/ +$/, '');
                flush();
                pieces.push({ node: html`<br />` });
            } else plain += ' ';
            index += 1;
        } else if ((letter === '*' || letter === '_' || letter === '~') && signs < SIGNS_MAX) {
            let end = index;
            while (text[end] === letter) end += 1;
            const before = text[index - 1] ?? ' ';
            const after = text[end] ?? ' ';
            const isLeft = !/\s/.test(after) && (WORD.test(after) || !WORD.test(before));
            const isRight = !/\s/.test(before) && (WORD.test(before) || !WORD.test(after));
            const isWithin = letter === '_' && WORD.test(before) && WORD.test(after);
            flush();
            if (letter === '~' && end - index !== 2) plain += text.slice(index, end);
            else pieces.push({ sign: letter, count: end - index, canOpen: isLeft && !isWithin, canClose: isRight && !isWithin });
            signs += 1;
            index = end;
        } else if (letter === '[' && !isInLink && signs < SIGNS_MAX) {
            signs += 1;
            const link = linkAt(text, index);
            if (link) {
                flush();
                pieces.push({ node: anchor(link.address, inline(link.label, options, true)) });
                index = link.end;
            } else {
                plain += letter;
                index += 1;
            }
        } else if (letter === '<' && !isInLink) {
            const end = text.slice(index, index + 2000).indexOf('>');
            const address = end > 0 ? safeAddress(text.slice(index + 1, index + end)) : null;
            if (address) {
                flush();
                pieces.push({ node: anchor(address, address) });
                index += end + 1;
            } else {
                plain += letter;
                index += 1;
            }
        } else {
            plain += letter;
            index += 1;
        }
    }
    flush();
    return emphasised(pieces);
}

/** Where a code span ends: the next run of exactly as many marks. @param {string} text @param {number} from @param {string} mark */
function closing(text, from, mark) {
    for (let at = text.indexOf(mark, from); at >= 0; ) {
        let end = at + mark.length;
        while (text[end] === '`') end += 1;
        if (end - at === mark.length) return at;
        at = text.indexOf(mark, end);
    }
    return -1;
}

/** `[label](address)` at a place. @param {string} text @param {number} index */
function linkAt(text, index) {
    const rest = text.slice(index, index + 4000);
    const found = /^\[((?:[^[\]\\\n]|\\.)*)\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+(?:"[^"\n]*"|'[^'\n]*'))?\s*\)/.exec(rest);
    if (!found || found[1].trim() === '') return null;
    const address = safeAddress(found[2]);
    return address ? { label: found[1], address, end: index + found[0].length } : null;
}

/** @param {string} address @param {any} content */
const anchor = (address, content) => html`<a href=${address} target="_blank" rel="noopener noreferrer nofollow">${content}</a>`;

/** Text with its bare addresses and mentions. @param {string} text @param {Options} options @param {boolean} isInLink @returns {Piece[]} */
function plainPieces(text, options, isInLink) {
    /** @type {Piece[]} */
    const pieces = [];
    let from = 0;
    if (!isInLink) {
        for (const found of text.matchAll(BARE)) {
            pieces.push(...mentionPieces(text.slice(from, found.index), options));
            pieces.push({ node: anchor(found[0], found[0]) });
            from = found.index + found[0].length;
        }
    }
    pieces.push(...mentionPieces(text.slice(from), options));
    return pieces;
}

const MENTION = /(^|[^\p{L}\p{N}@])@([\p{L}\p{N}._-]{1,64})/gu;
const TAG = /(^|[\s([{（「『，。、])#([\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}])?)/gu;

/** @param {string} text @param {Options} options @returns {Piece[]} */
function mentionPieces(text, { mention, tag }) {
    const mentioned = mention && text.includes('@') ? namePieces(text, MENTION, mention) : text ? [{ text }] : [];
    if (!tag || !text.includes('#')) return mentioned;
    const show = (/** @type {string} */ name) => (/\p{L}/u.test(name) ? tag(name) : null);
    return mentioned.flatMap((piece) => (piece.text?.includes('#') ? namePieces(piece.text, TAG, show) : [piece]));
}

/** A text with what follows a sign shown. @param {string} text @param {RegExp} pattern @param {(name: string) => any} show @returns {Piece[]} */
function namePieces(text, pattern, show) {
    /** @type {Piece[]} */
    const pieces = [];
    let from = 0;
    for (const found of text.matchAll(pattern)) {
        const node = show(found[2]);
        if (!node) continue;
        const start = found.index + found[1].length;
        if (start > from) pieces.push({ text: text.slice(from, start) });
        pieces.push({ node });
        from = start + 1 + found[2].length;
    }
    if (from < text.length) pieces.push({ text: text.slice(from) });
    return pieces;
}

/** Pairs the signs of emphasis: each that closes with the nearest that opens. @param {Piece[]} pieces @returns {any[]} */
function emphasised(pieces) {
    /** @type {{ piece: Piece, nodes: any[] }[]} */
    const open = [];
    /** @type {any[]} */
    const root = [];
    const top = () => (open.length > 0 ? open[open.length - 1].nodes : root);
    const fall = () => {
        const { piece, nodes } = /** @type {{ piece: Piece, nodes: any[] }} */ (open.pop());
        top().push((piece.sign ?? '').repeat(piece.count ?? 0), ...nodes);
    };
    for (const piece of pieces) {
        if (!piece.sign) {
            top().push(piece.node ?? piece.text);
            continue;
        }
        let left = piece.count ?? 0;
        while (piece.canClose && left > 0) {
            const at = open.findLastIndex((held) => held.piece.sign === piece.sign);
            if (at < 0) break;
            while (open.length - 1 > at) fall();
            const held = open[at];
            const used = Math.min(2, left, held.piece.count ?? 0);
            const { nodes } = held;
            const node = piece.sign === '~' ? html`<s>${nodes}</s>` : used === 2 ? html`<strong>${nodes}</strong>` : html`<em>${nodes}</em>`;
            held.piece = { ...held.piece, count: (held.piece.count ?? 0) - used };
            held.nodes = [node];
            left -= used;
            if (held.piece.count === 0) {
                open.pop();
                top().push(node);
            }
        }
        if (left > 0) {
            if (piece.canOpen && open.length < 50) open.push({ piece: { ...piece, count: left }, nodes: [] });
            else top().push((piece.sign ?? '').repeat(left));
        }
    }
    while (open.length > 0) fall();
    return root;
}
