// What files are, by the endings of their names: for pictures, for the viewer, and for sorting.

/** @typedef {import('../../types').Node} Node */
/** @typedef {'folder' | 'link' | 'image' | 'video' | 'audio' | 'pdf' | 'markdown' | 'table' | 'code' | 'text' | 'archive' | 'file'} Kind */

/** @type {Record<string, string>} */
const ENDINGS = {
    image: 'avif bmp gif ico jpeg jpg png svg webp',
    video: 'm4v mov mp4 ogv webm',
    audio: 'aac flac m4a mp3 oga ogg opus wav',
    pdf: 'pdf',
    markdown: 'md markdown',
    table: 'csv tsv',
    code: 'c cc conf cpp css go h html htm ini java js json jsx kt lock lua mjs php pl py rb rs sh sql swift toml ts tsx xml yaml yml',
    text: 'txt log text tex rst',
    archive: '7z bz2 gz rar tar tgz xz zip zst',
};

/** @type {Map<string, Kind>} */
const KINDS = new Map(Object.entries(ENDINGS).flatMap(([kind, endings]) => endings.split(' ').map((ending) => [ending, /** @type {Kind} */ (kind)])));

/** @param {Node} node @returns {Kind} */
export function kindOf(node) {
    if (node.kind !== 'file') return node.kind;
    const dot = node.name.lastIndexOf('.');
    return (dot > 0 && KINDS.get(node.name.slice(dot + 1).toLowerCase())) || 'file';
}

/** Whether the viewer shows it. @param {Node} node */
export const isViewable = (node) => !['folder', 'link', 'archive', 'file'].includes(kindOf(node));

/** The name without its ending, for what is to be changed in it. @param {Node} node */
export function stemLength(node) {
    const dot = node.kind === 'folder' ? -1 : node.name.lastIndexOf('.');
    return dot > 0 ? dot : node.name.length;
}
