// What sends a message: Enter, or Ctrl+Enter for who wants Enter to begin a new line.

import { keysOf, setKeys } from '../../shell/keys.js';

/** @type {import('../../shell/keys.js').Key} */
export const SEND = { keys: 'Enter', text: 'conversations.key.send' };
/** @type {import('../../shell/keys.js').Key} */
export const NEW_LINE = { keys: 'Shift+Enter', text: 'conversations.key.newline' };

/** Whether Enter alone sends. */
export const isEnterSending = () => keysOf(SEND) === SEND.keys;

/** @param {boolean} isSending whether Enter alone is to send */
export function setEnterSending(isSending) {
    setKeys({ [SEND.text]: isSending ? null : 'Ctrl+Enter', [NEW_LINE.text]: isSending ? null : 'Enter' });
}
