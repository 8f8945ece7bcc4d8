// Pictures for buttons and rows: drawn with strokes in the colour of the text, 20 pixels unless a class says otherwise. They say
// nothing to a screen reader; the button around them has the label.

import { html } from '../html.js';

/** Drawn on 24 by 24. */
const SHAPES = {
    archive: 'M4 8h16v11a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1zM3 4h18v4H3zM10 12h4',
    back: 'M15 5l-7 7 7 7',
    bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 20.500a2 2 0 0 0 4 0',
    bellOff: 'M6 16v-5a6 6 0 0 1 9-5.200M18 11v5l2 2H8M10 20.500a2 2 0 0 0 4 0M3 3l18 18',
    calendar: 'M4 6h16v14H4zM4 10h16M8 3v4M16 3v4',
    chat: 'M4 5h16v11H9l-5 4z',
    check: 'M5 12.500l4.500 4.500L19 7.500',
    checks: 'M2.500 12.500L7 17l8.500-9.500M11.500 16.500l.5.5 9.500-10.500',
    chevron: 'M9 5l7 7-7 7',
    clock: 'M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
    close: 'M6 6l12 12M18 6L6 18',
    columns: 'M4 5h16v14H4zM12 5v14',
    contacts: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20a6.500 6.500 0 0 1 13 0M16 4.300a3.500 3.500 0 0 1 0 6.400M18 14a6.500 6.500 0 0 1 3.500 6',
    copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
    deposits: 'M4 7l8-4 8 4-8 4zM4 12l8 4 8-4M4 17l8 4 8-4',
    download: 'M12 4v11M7 11l5 5 5-5M4 20h16',
    drive: 'M3 6h6l2 2h10v11H3z',
    edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
    error: 'M12 7v6M12 16.500v.010M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
    eye: 'M2 12s3.500-7 10-7 10 7 10 7-3.500 7-10 7S2 12 2 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
    file: 'M6 3h8l5 5v13H6zM14 3v5h5',
    filter: 'M4 6h16M7 12h10M10 18h4',
    forward: 'M14 6l6 6-6 6M20 12H9a6 6 0 0 0-6 6v1',
    grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
    group: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM16 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.500 19a5.500 5.500 0 0 1 11 0M14 14.200a5.500 5.500 0 0 1 7.500 4.800',
    help: 'M9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.700.300-1 .800-1 1.700M12 16.500v.010M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
    image: 'M4 5h16v14H4zM4 16l5-5 5 5M13 14l2-2 5 5M15.500 9v.010',
    info: 'M12 11v6M12 7.500v.010M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
    journal: 'M6 3h13v18H6a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM8 3v18M12 8h4M12 12h4',
    keyboard: 'M3 6h18v12H3zM7 10v.010M11 10v.010M15 10v.010M7 14h10',
    language: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18',
    link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
    list: 'M4 6h16M4 12h16M4 18h16',
    lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
    logout: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
    mention: 'M16 8v5a2.500 2.500 0 0 0 5 0v-1a9 9 0 1 0-4 7.500M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z',
    more: 'M5 12v.010M12 12v.010M19 12v.010',
    pause: 'M8 5v14M16 5v14',
    pin: 'M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6',
    play: 'M7 4.500v15l12-7.500z',
    plus: 'M12 5v14M5 12h14',
    reply: 'M10 6l-6 6 6 6M4 12h11a6 6 0 0 1 6 6v1',
    search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500L21 21',
    send: 'M4 12l17-8-5 17-4-7zM12 14l9-10',
    settings: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM19 12a7 7 0 0 0-.100-1.300l2-1.500-2-3.400-2.300 1a7 7 0 0 0-2.300-1.300L14 3h-4l-.300 2.500a7 7 0 0 0-2.300 1.300l-2.300-1-2 3.400 2 1.500a7 7 0 0 0 0 2.600l-2 1.500 2 3.400 2.300-1a7 7 0 0 0 2.300 1.300L10 21h4l.300-2.500a7 7 0 0 0 2.300-1.300l2.300 1 2-3.400-2-1.500c.100-.400.100-.900.100-1.300z',
    shield: 'M12 3l8 3v6c0 4.500-3.200 7.800-8 9-4.800-1.200-8-4.500-8-9V6z',
    smile: 'M8 14.500a5 5 0 0 0 8 0M9 9.500v.010M15 9.500v.010M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
    star: 'M12 4l2.500 5.200 5.500.800-4 4 1 5.600-5-2.700-5 2.700 1-5.600-4-4 5.500-.800z',
    theme: 'M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z',
    trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
    upload: 'M12 16V5M7 9l5-5 5 5M4 20h16',
    user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500a7.500 7.500 0 0 1 15 0',
    attach: 'M20 11.500l-8.500 8.500a5.500 5.500 0 0 1-8-8L12 3.500a3.700 3.700 0 0 1 5.300 5.300L9 17a1.900 1.900 0 0 1-2.700-2.700l7.700-7.700',
};

/** @typedef {keyof typeof SHAPES} IconName */

/** @param {{ name: IconName, class?: string }} props */
export function Icon({ name, class: className = '' }) {
    return html`<svg class=${`icon ${className}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${SHAPES[name]} /></svg>`;
}
