// The server: what it is, and what it does in the background.

import * as api from '../../api.js';
import { html, useEffect, useState } from '../../html.js';
import { dateAndTime, t } from '../../lang/index.js';
import { message } from '../../parts/problem.js';
import { Spinner } from '../../parts/progress.js';

/** @typedef {{ info: import('../../types').ServerInfo, jobs: import('../../types').Job[] }} State */

export function Server() {
    const [state, setState] = useState(/** @type {State | null} */ (null));
    const [problem, setProblem] = useState('');
    useEffect(() => {
        const stop = new AbortController();
        Promise.all([api.get('/server', undefined, stop.signal), api.get('/admin/jobs', undefined, stop.signal)]).then(
            ([info, jobs]) => setState({ info, jobs }),
            (error) => !stop.signal.aborted && setProblem(message(error)),
        );
        return () => stop.abort();
    }, []);
    if (problem) return html`<p class="notice bad" role="alert">${problem}</p>`;
    if (!state) return html`<${Spinner} label=${t('shell.loading')} />`;
    return html`
        <section class="card section-card" aria-labelledby="administration-server">
            <h3 id="administration-server">${t('administration.server.about')}</h3>
            <dl class="section-facts">
                <div><dt>${t('administration.server.version')}</dt><dd>${state.info.version}</dd></div>
                <div><dt>${t('administration.server.signup')}</dt><dd>${t(`administration.server.signup.${state.info.signup}`)}</dd></div>
                <div><dt>${t('administration.server.time')}</dt><dd>${dateAndTime(state.info.time_ms)}</dd></div>
            </dl>
        </section>
        <section class="card section-card" aria-labelledby="administration-jobs">
            <h3 id="administration-jobs">${t('administration.server.jobs')}</h3>
            <ul class="administration-jobs">
                ${state.jobs.map((job) => html`
                    <li key=${job.name}>
                        <div class="row"><span class="grow section-name">${job.name}</span><span class="soft">${t(`administration.job.${job.state}`)}</span></div>
                        ${job.progress && html`<div class="soft small">${job.progress}</div>`}
                        ${job.errors_in_row > 0 && job.last_error && html`<div class="wrong">${job.last_error}</div>`}
                    </li>
                `)}
            </ul>
        </section>
    `;
}
