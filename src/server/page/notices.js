// What happened while somebody looked: a line for each change of state, the newest first.

import { byId, count, duration, element, time } from './dom.js';
import { replayWords } from './letters.js';

const EVENTS_MAX = 50;

export const processWords = {
  here: 'answers',
  answers: 'answers',
  asked: 'asked',
  silent: 'does not answer',
  'another version': 'runs another version',
};

export function note(text) {
  const at = new Date().toTimeString().slice(0, 8);
  const list = byId('events');
  list.prepend(element('li', {}, element('time', { class: 'faint' }, at), ` ${text}`));
  while (list.childElementCount > EVENTS_MAX) list.lastChild.remove();
  byId('happened').hidden = false;
}

/** Parts that did not answer. One that is slow again and again is said once a minute. */
const silences = new Map();
const SAY_AGAIN_MS = 60_000;

function noticeSilence({ silent, sinksDown, atMs }) {
  for (const { id, seconds } of silent) {
    if (atMs - (silences.get(id)?.saidMs ?? 0) < SAY_AGAIN_MS) continue;
    silences.set(id, { saidMs: atMs, isOver: false });
    note(`${id} has not answered for ${duration(seconds)}`);
  }
  const now = new Set(silent.map(({ id }) => id));
  const down = new Set(sinksDown.map(({ sink }) => sink));
  for (const [id, silence] of silences) {
    if (silence.isOver || now.has(id)) continue;
    silence.isOver = true;
    if (!down.has(id)) note(`${id} answers again`);
  }
}

const lostBatches = ({ models }) => models.reduce((sum, { lost }) => sum + lost, 0);

/** Notes what differs between two pictures. */
export function notice(before, now) {
  const isNew = before.startedMs !== now.startedMs;
  if (isNew) note(`another process answers, which was started at ${time(now.startedMs)}`);
  const restarts = now.restarts - (isNew ? 0 : before.restarts);
  if (restarts > 0) note(`${count(restarts)} task(s) restored from their checkpoints`);
  const lost = lostBatches(now) - (isNew ? 0 : lostBatches(before));
  if (lost > 0) note(`${count(lost)} batch(es) were lost with their inference worker, and sent again`);
  const down = ({ sinksDown }) => new Set(sinksDown.map(({ sink }) => sink));
  const [was, is] = [down(before), down(now)];
  for (const { sink, cause } of now.sinksDown) if (!was.has(sink)) note(`${sink} is down: ${cause}`);
  for (const sink of was) if (!is.has(sink)) note(`${sink} works again`);
  noticeSilence(now);
  const states = new Map(before.alerts.map(({ name, state }) => [name, state]));
  for (const { name, state, why } of now.alerts)
    if (state !== states.get(name) && (state === 'firing' || state === 'resolved'))
      note(`alert ${state}: ${name} (${why})`);
  const heard = new Map(before.processes.map(({ url, state }) => [url, state]));
  for (const { url, state } of now.processes)
    if (state !== (heard.get(url) ?? 'asked') && state !== 'asked') note(`${url} ${processWords[state]}`);
  const urls = new Set(now.processes.map(({ url }) => url));
  for (const { url } of before.processes) if (!urls.has(url)) note(`${url} has no tasks any more`);
  const steps = new Map(before.actions.replays.map(({ id, state }) => [id, state]));
  for (const replay of now.actions.replays) {
    const { id, state } = replay;
    if (state !== steps.get(id) && ['sent', 'stopped', 'failed'].includes(state))
      note(`${id} ${replayWords[state](replay)}`);
  }
  const isPaused = ({ status }) => status === 'paused';
  if (isPaused(now) && !isPaused(before)) note('somebody paused the run');
  if (isPaused(before) && now.status === 'ok') note('the run goes on');
  for (const warning of now.warnings) if (!before.warnings.includes(warning)) note(warning);
}
