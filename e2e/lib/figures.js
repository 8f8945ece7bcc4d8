// Figures of the page: measured while something is tested, told in one table. No test fails for what a clock says.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { isDelayed } from './delays.js';

/** Where the table goes. */
const FILE = process.env.WHARF_FIGURES ?? fileURLToPath(new URL('../../target/figures.md', import.meta.url));
/** Whether the long forms are measured: `./test figures`. */
export const isLong = process.env.WHARF_FIGURES_LONG === '1';

/** @type {{ what: string, value: string, aim: string }[]} */
const figures = [];

/** Notes a figure. @param {string} what @param {string} value with its unit @param {string} [aim] */
export function figure(what, value, aim = '') {
    figures.push({ what, value, aim });
}

/** Prints the table, and writes it to its file. */
export async function tell() {
    if (isDelayed) return;
    const lines = ['| figure | measured | aim |', '| --- | --- | --- |', ...figures.map(({ what, value, aim }) => `| ${what} | ${value} | ${aim} |`)];
    console.log(`\n${lines.join('\n')}\n`);
    await mkdir(path.dirname(FILE), { recursive: true });
    await writeFile(FILE, `${lines.join('\n')}\n`);
}

/** The value that so many parts of a hundred are not above. @param {number[]} values @param {number} percent */
export function percentile(values, percent) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}

/** @param {number[]} values in milliseconds */
export const spread = (values) => `${percentile(values, 50).toFixed(0)} ms (95 of 100: ${percentile(values, 95).toFixed(0)} ms)`;
