// Invitations: links with which people make their own accounts.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { date, t } from '../../lang/index.js';
import { confirm } from '../../parts/dialog.js';
import { showSecret } from '../../parts/form.js';
import { Icon } from '../../parts/icon.js';
import { attempt } from '../../parts/notice.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';
import { to } from '../../router.js';
import { invite } from './dialogs.js';

/** @typedef {import('../../types').Invitation} Invitation */

export function Invitations() {
    const [invitations, setInvitations] = useState(/** @type {Invitation[] | null} */ (null));
    const [problem, setProblem] = useState('');
    const read = async () => {
        try {
            setInvitations(await api.get('/invitations'));
            setProblem('');
        } catch (error) {
            setProblem(message(error));
        }
    };
    useEffect(() => void read(), []);
    const make = async () => {
        const made = await invite();
        if (!made?.code) return;
        await read();
        await showSecret({ title: t('administration.invitations.told'), text: t('administration.invitations.told.text'), secret: location.origin + to('join', made.code) });
    };
    const end = async (/** @type {Invitation} */ invitation) => {
        if (!(await confirm({ title: t('administration.invitations.end.ask'), yes: t('administration.invitations.end'), isDanger: true }))) return;
        await attempt(() => api.remove(`/invitations/${invitation.id}`));
        await read();
    };
    return html`
        <p class="soft">${t('administration.invitations.text')}</p>
        <div><button type="button" class="button primary" onClick=${make}><${Icon} name="plus" />${t('administration.invitations.make')}</button></div>
        ${problem ? html`<p class="notice bad" role="alert">${problem}</p>`
            : !invitations ? html`<${Spinner} label=${t('shell.loading')} />`
            : invitations.length === 0 ? html`<p class="soft">${t('administration.invitations.none')}</p>`
            : html`<ul class="card section-rows" aria-label=${t('administration.invitations')}>
                ${invitations.map((invitation) => {
                    const until = t('administration.invitations.until', { when: date(invitation.expires_ms) });
                    return html`
                        <li key=${invitation.id} class="section-row">
                            <div class="grow"><div class="section-name">${t('administration.invitations.left', { n: invitation.uses_left })}</div><div class="soft small">${until}</div></div>
                            <div class="section-deeds"><button type="button" class="button danger" aria-label=${`${t('administration.invitations.end')}: ${until}`} onClick=${() => end(invitation)}>${t('administration.invitations.end')}</button></div>
                        </li>
                    `;
                })}
            </ul>`}
    `;
}
