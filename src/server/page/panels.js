// The panels of models and of quality: what steps measure, and what their rules say.

import { byId, count, element, measure, rows, time } from './dom.js';

const placeOf = ({ step, slice, version }, name) => [step, slice, version, name].join('\0');

/** A measure named `NAME:BASELINE` is shown beside NAME: what somebody would have scored who knows only so much. */
function withBaselines(measures) {
  const found = new Map(measures.map((each) => [placeOf(each, each.name), { ...each, baselines: [] }]));
  for (const [place, { name, value, ...of }] of found) {
    const at = name.indexOf(':');
    const row = at > 0 && found.get(placeOf(of, name.slice(0, at)));
    if (!row) continue;
    row.baselines.push(`${name.slice(at + 1)} ${measure(value)}`);
    found.delete(place);
  }
  return [...found.values()];
}

export function showMetrics({ measures }) {
  rows(
    byId('measures'),
    ['step', 'metric', 'slice', '#newest', '#95 % interval', 'baselines', 'model version', 'event time'],
    withBaselines(measures).map(({ step, name, slice, version, value, interval, baselines, eventTimeMs }) => [
      step,
      name,
      slice || 'all',
      measure(value),
      interval ? interval.map(measure).join(' to ') : '',
      baselines.join(', '),
      version,
      time(eventTimeMs),
    ]),
    'no step has measured anything yet',
  );
}

/** `lookAt` shows the dead letters of a step and reason. */
export function showQuality({ quality, actions: { hasDeadLetters } }, lookAt) {
  byId('quality-rules').hidden = quality.length === 0;
  rows(
    byId('quality'),
    [
      'step',
      'rule',
      'if broken',
      '#checked',
      '#failed',
      '#share',
      'newest verdict',
      hasDeadLetters ? 'dead letters' : '',
    ],
    quality.map(({ step, rule, text, severity, checked, failed, deadLetters, verdict }) => [
      step,
      text,
      severity,
      count(checked),
      count(failed),
      checked > 0 ? `${measure((100 * failed) / checked)} %` : '',
      verdict ? verdictText(verdict) : '',
      hasDeadLetters && deadLetters > 0 ? lookButton(step, rule, lookAt) : '',
    ]),
  );
}

const verdictText = ({ held, observed, endMs }) =>
  `${held ? 'held' : 'failed'}${observed === null ? '' : ` (${measure(observed)})`}, window to ${time(endMs)}`;

const lookButton = (step, rule, lookAt) => ({
  key: `${step} ${rule}`,
  make() {
    const button = element(
      'button',
      { type: 'button', 'aria-label': `show the dead letters of ${rule} in ${step}` },
      'Show',
    );
    button.addEventListener('click', () => lookAt(step, rule));
    return button;
  },
});
