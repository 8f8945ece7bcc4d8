// CommonMark, as people write it in messages and files, as nodes. No markup comes through: tags are text, and a link leads to http, https or mail alone.
//
// Paragraphs, headings, lists, tasks, quotes, code, rules and tables; markdown-inline.js has what is within them. Everything is bounded, so that a text
// made to be slow is shown as text and not slowly.

import { html } from '../html.js';
import { inline } from './markdown-inline.js';

const DEPTH_MAX = 6;
/** @typedef {import('./markdown-inline.js').Options} Options */

/** The nodes of a text. @param {string} text @param {Options} [options] */
export function markdown(text, options = {}) {
    return blocks(text.replace(/\r\n?/g, '\n').split('\n'), options, 0);
}

/** @param {string[]} lines @param {Options} options @param {number} depth @returns {any[]} */
function blocks(lines, options, depth) {
    /** @type {any[]} */
    const nodes = [];
    let index = 0;
    while (index < lines.length) {
        const line = lines[index];
        if (line.trim() === '') {
            index += 1;
            continue;
        }
        const fence = /^ {0,3}(`{3,}|~{3,})\s*([^`\s]*)/.exec(line);
        if (fence) {
            const [, mark, language] = fence;
            const code = [];
            for (index += 1; index < lines.length; index += 1) {
                if (lines[index].trim().startsWith(mark) && /^[`~]+$/.test(lines[index].trim())) {
                    index += 1;
                    break;
                }
                code.push(lines[index]);
            }
            nodes.push(html`<pre dir="ltr" data-language=${language || undefined} tabindex="0"><code>${code.join('\n')}</code></pre>`);
            continue;
        }
        const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/.exec(line);
        if (heading) {
            nodes.push(title(heading[1].length, inline(heading[2], options), options));
            index += 1;
            continue;
        }
        if (/^ {0,3}([-*_])(\s*\1){2,}\s*$/.test(line)) {
            nodes.push(html`<hr />`);
            index += 1;
            continue;
        }
        if (depth < DEPTH_MAX && /^ {0,3}>/.test(line)) {
            const quoted = [];
            while (index < lines.length && /^ {0,3}>/.test(lines[index])) {
                quoted.push(lines[index].replace(/^ {0,3}> ?/, ''));
                index += 1;
            }
            nodes.push(html`<blockquote>${blocks(quoted, options, depth + 1)}</blockquote>`);
            continue;
        }
        const item = depth < DEPTH_MAX ? itemOf(line) : null;
        if (item) {
            const [list, next] = listFrom(lines, index, item, options, depth);
            nodes.push(list);
            index = next;
            continue;
        }
        if (isTable(lines, index)) {
            const [rows, next] = tableFrom(lines, index, options);
            nodes.push(rows);
            index = next;
            continue;
        }
        const paragraph = [line];
        for (index += 1; index < lines.length && !beginsBlock(lines[index], depth) && !isTable(lines, index); index += 1) paragraph.push(lines[index]);
        nodes.push(html`<p dir="auto">${inline(paragraph.join('\n').trim(), options)}</p>`);
    }
    return nodes;
}

/** A heading; in a file they go below the page's own. @param {number} level @param {any} text @param {Options} options */
function title(level, text, { isDocument }) {
    if (!isDocument) return html`<p class=${`md-heading md-heading-${level}`}><strong>${text}</strong></p>`;
    if (level === 1) return html`<h3 class="md-title-1" dir="auto">${text}</h3>`;
    if (level === 2) return html`<h4 class="md-title-2" dir="auto">${text}</h4>`;
    return html`<h5 class="md-title-3" dir="auto">${text}</h5>`;
}

const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Whether a table begins at a line. @param {string[]} lines @param {number} index */
const isTable = (lines, index) => lines[index].includes('|') && (lines[index + 1] ?? '').includes('-') && lines[index + 1].length < 2000 && DIVIDER.test(lines[index + 1]);

/** @param {string[]} lines @param {number} index @param {Options} options @returns {[any, number]} */
function tableFrom(lines, index, options) {
    const cells = (/** @type {string} */ line) => line.trim().replace(/^\|/, '').replace(/\|$/, '').split(/(?<!\\)\|/).map((cell) => inline(cell.trim().replaceAll('\\|', '|'), options));
    let end = index + 2;
    while (end < lines.length && lines[end].includes('|')) end += 1;
    const head = cells(lines[index]);
    return [html`<div class="md-wide" tabindex="0"><table class="md-table"><thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
        <tbody>${lines.slice(index + 2, end).map((line) => html`<tr>${cells(line).slice(0, head.length).map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`, end];
}

/** What a list's item holds. A single paragraph needs no element of its own. @param {string[]} lines @param {Options} options @param {number} depth */
function itemFrom(lines, options, depth) {
    const task = /^\[([ xX])\]\s+/.exec(lines[0]);
    const inner = blocks(task ? [lines[0].slice(task[0].length), ...lines.slice(1)] : lines, options, depth + 1);
    const isTight = !lines.some((line, index) => line.trim() === '' && index < lines.length - 1);
    const content = isTight && inner[0]?.type === 'p' && !inner[0].props.class ? [inner[0].props.children, ...inner.slice(1)] : inner;
    if (!task) return html`<li dir="auto">${content}</li>`;
    const sign = task[1] === ' ' ? '☐' : '☑';
    return html`<li class="md-task" dir="auto"><span role="img" aria-label=${sign}>${sign}</span> ${content}</li>`;
}

/** @param {string} line */
function itemOf(line) {
    const found = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+)(?=\S)/.exec(line);
    if (!found) return null;
    const [whole, , mark] = found;
    return { indent: Math.min(whole.length, found[1].length + mark.length + 4), isOrdered: /\d/.test(mark), kind: mark.replace(/\d+/, ''), start: Number.parseInt(mark, 10) };
}

/** @param {string} line @param {number} depth */
function beginsBlock(line, depth) {
    return line.trim() === '' || /^ {0,3}(`{3,}|~{3,}|#{1,6}\s)/.test(line) || (depth < DEPTH_MAX && (/^ {0,3}>/.test(line) || itemOf(line) !== null));
}

/** @param {string[]} lines @param {number} index @param {NonNullable<ReturnType<typeof itemOf>>} first @param {Options} options @param {number} depth @returns {[any, number]} */
function listFrom(lines, index, first, options, depth) {
    const items = [];
    let next = index;
    for (;;) {
        const item = next < lines.length ? itemOf(lines[next]) : null;
        if (!item || item.kind !== first.kind) break;
        const inner = [lines[next].slice(item.indent)];
        for (next += 1; next < lines.length; next += 1) {
            const line = lines[next];
            const isBlank = line.trim() === '';
            const isIndented = /^\s/.test(line) && line.slice(0, item.indent).trim() === '';
            if (isBlank && !/^\s{2,}\S/.test(lines[next + 1] ?? '')) break;
            if (!isBlank && !isIndented && (itemOf(line) || beginsBlock(line, depth))) break;
            inner.push(isIndented ? line.slice(item.indent) : line);
        }
        items.push(itemFrom(inner, options, depth));
        if (lines[next]?.trim() === '' && itemOf(lines[next + 1] ?? '')?.kind === first.kind) next += 1;
    }
    return [first.isOrdered ? html`<ol start=${first.start}>${items}</ol>` : html`<ul>${items}</ul>`, next];
}
