// What an error is called in the person's language.

import { ApiError, NetworkError } from '../api.js';
import { t } from '../lang/index.js';

/** A sentence for a person. @param {unknown} error */
export function message(error) {
    if (error instanceof NetworkError) return t('problem.offline');
    if (error instanceof ApiError) {
        if (error.code === 'internal' || error.code === 'corrupt') return t('problem.internal', { id: error.requestId ?? '' });
        if (error.code === 'invalid' || error.code === 'unsupported') return t('problem.invalid', { detail: error.message });
        const key = `problem.${error.code}`;
        const text = t(key);
        return text === key ? error.message : text;
    }
    console.error(error);
    return t('shell.failed');
}
