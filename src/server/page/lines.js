// The lines of the tiles: what the server remembers, and the pictures since then.

import { byId, drawn } from './dom.js';

/** A line has one point for several values. */
const POINTS = 150;
const spans = { '10m': 'last 10 minutes', '2h': 'last 2 hours' };
let span = '10m';
let past;

/** Changes to the other time, and returns it. */
export function otherSpan() {
  span = span === '2h' ? '10m' : '2h';
  return span;
}

export async function loadPast() {
  const wanted = span;
  const answer = await fetch(`history?span=${wanted}`);
  if (!answer.ok || wanted !== span) return;
  past = await answer.json();
  drawLines();
}

export function remember({ atMs, readRate, writtenRate, lag, latency, loop, uncommittedSeconds, memoryBytes }) {
  if (!past) return;
  const newest = {
    ...{ read: readRate, written: writtenRate, lag, latency: latency?.p99 ?? null, loop },
    ...{ uncommitted: uncommittedSeconds, memory: memoryBytes },
  };
  const slots = Math.max(0, Math.floor((atMs - past.untilMs) / past.everyMs));
  for (const [name, value] of Object.entries(newest)) {
    const values = past.values[name];
    const { length } = values;
    values.push(...Array(Math.min(slots, length)).fill(null));
    values.splice(0, values.length - length);
    values[length - 1] = value;
  }
  past.untilMs += slots * past.everyMs;
}

export function drawLines() {
  if (!past) return;
  for (const [name, values] of Object.entries(past.values)) {
    const svg = byId(`${name}-line`);
    svg.dataset.name ??= svg.getAttribute('aria-label');
    svg.setAttribute('aria-label', `${svg.dataset.name}, ${spans[span]}`);
    if (!svg.firstChild) {
      svg.setAttribute('viewBox', '0 0 100 28');
      svg.setAttribute('preserveAspectRatio', 'none');
      svg.append(drawn('path'));
    }
    svg.firstChild.setAttribute('d', line(values));
  }
}

/** Broken where nobody looked. A young history is drawn larger. */
function line(all) {
  const known = all.findIndex((value) => value !== null);
  const values = all.slice(Math.min(Math.max(0, known), all.length - POINTS));
  const each = values.length / POINTS;
  const points = Array.from({ length: POINTS }, (_, i) => {
    const some = values.slice(Math.floor(i * each), Math.floor((i + 1) * each)).filter((value) => value !== null);
    return some.length > 0 ? Math.max(...some) : undefined;
  });
  const top = Math.max(...points.filter((value) => value !== undefined), 1e-9);
  const width = 100 / POINTS;
  return points
    .map((value, i) =>
      value === undefined
        ? ''
        : `${points[i - 1] === undefined ? 'M' : 'L'}${i * width},${28 - (value / top) * 26} h${width}`,
    )
    .filter(Boolean)
    .join(' ');
}
