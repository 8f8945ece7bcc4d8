// How this browser shows the page: theme and language.

import { html } from '../../html.js';
import { LANGUAGES, language, setLanguage, t } from '../../lang/index.js';
import { attempt } from '../../parts/notice.js';
import { setTheme, theme } from '../../shell/theme.js';

/** @type {import('../../shell/theme.js').Theme[]} */
const THEMES = ['system', 'light', 'dark'];

export function Appearance() {
    return html`
        <p class="soft">${t('settings.appearance.text')}</p>
        <${Choice} name="theme" title=${t('shell.theme')} value=${theme.value} choices=${THEMES.map((id) => [id, t(`shell.theme.${id}`)])} choose=${setTheme} />
        <${Choice} name="language" title=${t('shell.language')} value=${language.value} choices=${LANGUAGES} isLanguage choose=${(/** @type {string} */ code) => void attempt(() => setLanguage(code))} />
    `;
}

/** @param {{ name: string, title: string, value: string, choices: string[][], choose: (id: any) => void, isLanguage?: boolean }} props */
export function Choice({ name, title, value, choices, choose, isLanguage = false }) {
    return html`
        <fieldset class="card section-card settings-choice">
            <legend class="sr-only">${title}</legend>
            <h3 aria-hidden="true">${title}</h3>
            ${choices.map(([id, label]) => html`
                <label key=${id}><input type="radio" name=${name} value=${id} checked=${id === value} onChange=${() => choose(id)} /><span lang=${isLanguage ? id : undefined}>${label}</span></label>
            `)}
        </fieldset>
    `;
}
