// Markdown as nodes of the page: what files of that kind hold most, without markup of their own. Texts are escaped by construction, and an
// address becomes a link only where it leads to the web or to mail.

import { html } from '../../html.js';

/** Deeper lists and quotes are shown as text. */
const DEPTH_MAX = 12;
/** Longer paragraphs are shown as they are: looking for marks costs the square of their length. */
const INLINE_MAX = 20_000;

/** @param {string} text */
export function markdown(text) {
    return blocks(text.replace(/\r\n?/g, '\n').replace(/\t/g, '    ').split('\n'), 0);
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( +|$)/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** @param {string[]} lines @param {number} depth @returns {any[]} */
function blocks(lines, depth) {
    /** @type {any[]} */
    const out = [];
    let at = 0;
    while (at < lines.length) {
        const line = lines[at];
        const fence = FENCE.exec(line);
        const heading = HEADING.exec(line);
        if (line.trim() === '') at += 1;
        else if (fence) {
            let end = at + 1;
            while (end < lines.length && !lines[end].trim().startsWith(fence[1])) end += 1;
            out.push(html`<pre class="drive-md-code"><code>${lines.slice(at + 1, end).join('\n')}</code></pre>`);
            at = end + 1;
        } else if (heading) {
            out.push(title(heading[1].length, inline(heading[2])));
            at += 1;
        } else if (RULE.test(line)) {
            out.push(html`<hr />`);
            at += 1;
        } else if (QUOTE.test(line) && depth < DEPTH_MAX) {
            let end = at;
            while (end < lines.length && lines[end].trim() !== '' && (QUOTE.test(lines[end]) || !starts(lines[end]))) end += 1;
            out.push(html`<blockquote>${blocks(lines.slice(at, end).map((quoted) => quoted.replace(QUOTE, '')), depth + 1)}</blockquote>`);
            at = end;
        } else if (ITEM.test(line) && depth < DEPTH_MAX) at = list(lines, at, depth, out);
        else if (line.includes('|') && DIVIDER.test(lines[at + 1] ?? '') && (lines[at + 1] ?? '').includes('-')) at = table(lines, at, out);
        else {
            let end = at + 1;
            while (end < lines.length && lines[end].trim() !== '' && !starts(lines[end])) end += 1;
            out.push(html`<p>${inline(lines.slice(at, end).join('\n'))}</p>`);
            at = end;
        }
    }
    return out;
}

/** Whether a line begins something else than a paragraph. @param {string} line */
const starts = (line) => FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);

/** A heading; the dialog's own is above all of them. @param {number} level @param {any} text */
function title(level, text) {
    if (level === 1) return html`<h3 class="drive-md-1">${text}</h3>`;
    if (level === 2) return html`<h4 class="drive-md-2">${text}</h4>`;
    return html`<h5 class="drive-md-3">${text}</h5>`;
}

/** @param {string[]} lines @param {number} from @param {number} depth @param {any[]} out where the list goes @returns {number} the line after it */
function list(lines, from, depth, out) {
    const first = /** @type {RegExpExecArray} */ (ITEM.exec(lines[from]));
    const isOrdered = /\d/.test(first[2]);
    /** @type {any[]} */
    const items = [];
    let at = from;
    while (at < lines.length) {
        const mark = ITEM.exec(lines[at]);
        if (!mark || /\d/.test(mark[2]) !== isOrdered || RULE.test(lines[at])) break;
        const indent = mark[1].length + mark[2].length + Math.min(mark[3].length || 1, 4);
        const inner = [lines[at].slice(mark[0].length)];
        at += 1;
        while (at < lines.length) {
            const isBlank = lines[at].trim() === '';
            const isInner = /^ */.exec(lines[at])?.[0].length ?? 0;
            if (isBlank && (/^ */.exec(lines[at + 1] ?? '')?.[0].length ?? 0) < indent) break;
            if (!isBlank && isInner < indent && (starts(lines[at]) || lines[at - 1].trim() === '')) break;
            inner.push(lines[at].slice(Math.min(indent, isInner)));
            at += 1;
        }
        items.push(item(inner, depth));
        while (at < lines.length && lines[at].trim() === '' && ITEM.test(lines[at + 1] ?? '')) at += 1;
    }
    out.push(isOrdered ? html`<ol start=${parseInt(first[2], 10)}>${items}</ol>` : html`<ul>${items}</ul>`);
    return at;
}

/** @param {string[]} lines @param {number} depth */
function item(lines, depth) {
    const task = /^\[([ xX])\]\s+/.exec(lines[0]);
    if (task) lines = [lines[0].slice(task[0].length), ...lines.slice(1)];
    const inner = blocks(lines, depth + 1);
    // A list of single lines needs no paragraphs.
    const isTight = !lines.some((line, index) => line.trim() === '' && index < lines.length - 1);
    const first = isTight && inner[0]?.type === 'p' ? [inner[0].props.children, ...inner.slice(1)] : inner;
    if (!task) return html`<li>${first}</li>`;
    const isDone = task[1] !== ' ';
    return html`<li class="drive-md-task"><span role="img" aria-label=${isDone ? '☑' : '☐'}>${isDone ? '☑' : '☐'}</span> ${first}</li>`;
}

/** @param {string[]} lines @param {number} from @param {any[]} out @returns {number} */
function table(lines, from, out) {
    const cells = (/** @type {string} */ line) => line.trim().replace(/^\|/, '').replace(/\|$/, '').split(/(?<!\\)\|/).map((cell) => inline(cell.trim().replaceAll('\\|', '|')));
    let end = from + 2;
    while (end < lines.length && lines[end].includes('|')) end += 1;
    const head = cells(lines[from]);
    out.push(html`<table class="drive-viewer-table"><thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
        <tbody>${lines.slice(from + 2, end).map((line) => html`<tr>${cells(line).slice(0, head.length).map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table>`);
    return end;
}

const INLINE = /\\([!-/:-@[-`{-~])|(`+)(.+?)\2(?!`)|!?\[([^\]\n]*)\]\(<?([^\s)>]*)>?(?:\s+"[^"]*")?\)|<((?:https?:\/\/|mailto:)[^\s>]+)>|(\*\*|__)(?=\S)(.+?)(?<=\S)\7|(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*|(?<!\w)_(?=\S)([^_]+?)(?<=\S)_(?!\w)|~~(.+?)~~|(https?:\/\/[^\s<>]+[^\s<>.,;:!?)\]'"])/s;

/** @param {string} text @returns {any[]} */
function inline(text) {
    if (text.length > INLINE_MAX) return [text];
    /** @type {any[]} */
    const out = [];
    let rest = text;
    for (;;) {
        const found = INLINE.exec(rest);
        if (!found) {
            if (rest) out.push(rest);
            return out;
        }
        if (found.index > 0) out.push(rest.slice(0, found.index));
        out.push(span(found));
        rest = rest.slice(found.index + found[0].length);
    }
}

/** @param {RegExpExecArray} found */
function span(found) {
    const [whole, escaped, , code, label, address, plain, , bold, star, low, struck, bare] = found;
    if (escaped !== undefined) return escaped;
    if (code !== undefined) return html`<code>${code}</code>`;
    if (label !== undefined) return link(address, inline(label || address), whole);
    if (plain !== undefined) return link(plain, [plain], plain);
    if (bold !== undefined) return html`<strong>${inline(bold)}</strong>`;
    if (star !== undefined) return html`<em>${inline(star)}</em>`;
    if (low !== undefined) return html`<em>${inline(low)}</em>`;
    if (struck !== undefined) return html`<s>${inline(struck)}</s>`;
    return link(bare, [bare], bare);
}

/** @param {string} address @param {any[]} label @param {string} otherwise what is shown where this leads nowhere that may be followed */
function link(address, label, otherwise) {
    if (!/^(https?:\/\/|mailto:)/i.test(address)) return otherwise;
    return html`<a href=${address} target="_blank" rel="noopener noreferrer">${label}</a>`;
}
