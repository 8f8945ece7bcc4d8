// The dialog that lists the shortcuts.

import { html } from '../html.js';
import { t } from '../lang/index.js';
import { Dialog, open } from '../parts/dialog.js';
import { groups, keysOf, shown } from './keys.js';

export function showHelp() {
    if (document.querySelector('.help')) return;
    void open(({ close }) => html`
        <${Dialog} title=${t('shell.help')} close=${close} class="help">
            ${groups().map((group) => html`
                <section>
                    <h3>${t(group.title)}</h3>
                    <dl class="help-keys">
                        ${group.keys.map((key) => html`
                            <div>
                                <dt>${t(key.text)}</dt>
                                <dd>${shown(keysOf(key)).map((name, index) => html`${index > 0 && ' '}<kbd>${name}</kbd>`)}</dd>
                            </div>
                        `)}
                    </dl>
                </section>
            `)}
        <//>
    `);
}
