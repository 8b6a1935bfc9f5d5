// The live page: a drawing that is made once, and figures that change once a second. Values reach it as text only.

import {
  age,
  ask,
  byId,
  bytes,
  count,
  duration,
  element,
  happened,
  measure,
  millis,
  moment,
  percent,
  rate,
  rows,
  say,
  time,
} from './dom.js';
import { closeDrawer, fillDrawer, lookupState, select } from './drawer.js';
import { draw, fillBoxes } from './graph.js';
import { askReplay, doing, look, lookAt, showReplays } from './letters.js';
import { drawLines, loadPast, otherSpan, remember } from './lines.js';
import { note, notice, processWords } from './notices.js';
import { showMetrics, showQuality } from './panels.js';
import { lookForRecord } from './record.js';

const RETRY_MS = 2_000;
const LONG_SILENT_SECONDS = 5;
/** Records of another year are history that is read again: how old it is says nothing of the run. */
const OLD_SECONDS = 365 * 86_400;
/** Pictures come once a second. */
const SILENT_MS = 2_500;

let drawing;
let graph;

// One picture

let last;
let areTablesDue = false;
let isFrozen = false;
const statusWords = {
  ok: 'running',
  paused: 'paused',
  degraded: 'degraded: a sink is down',
  partial: 'running, not all processes answer',
  stopped: 'stopped',
};

function statusText({ status, tasks, tasksAtRest, inputs }) {
  if (status === 'paused' && tasksAtRest < tasks) return `pausing: ${tasksAtRest} of ${tasks} tasks are at rest`;
  return status === 'ok' && inputs.some(({ isOpen }) => !isOpen) ? 'opening its tasks' : statusWords[status];
}

function show(picture) {
  last = picture;
  const { status, upSeconds, sinksDown, deadLetters } = picture;
  tell(status, statusText(picture));
  const { length } = picture.processes;
  say(byId('loop-of'), length > 1 ? 'of the busiest thread in use' : 'of this thread in use');
  say(
    byId('facts'),
    `${graph.profile} profile ·${length > 1 ? ` ${length} processes ·` : ''} up ${duration(upSeconds)} · ${count(picture.restarts)} task restarts`,
  );
  say(byId('read'), rate(picture.readRate));
  say(byId('written'), rate(picture.writtenRate));
  say(byId('lag'), picture.lag === null ? 'unknown' : count(picture.lag));
  const inTime = picture.lagSeconds && picture.lagSeconds < OLD_SECONDS ? ` and ${ago(picture.lagSeconds)}` : '';
  say(byId('lag-of'), [`records${inTime} behind`, toGo(picture, status)].filter(Boolean).join(', '));
  say(byId('latency'), picture.latency ? age(picture.latency.p99) : 'no records');
  say(byId('dead'), count(deadLetters.reduce((sum, each) => sum + each.count, 0)));
  say(byId('loop'), percent(picture.loop));
  say(byId('uncommitted'), `${picture.uncommittedSeconds.toFixed(1)} s`);
  say(byId('memory'), bytes(picture.memoryBytes));
  drawLines();

  // Earlier ones are a line of what happened: a list that comes and goes would move the page.
  const longSilent = picture.silent.filter(({ seconds }) => seconds >= LONG_SILENT_SECONDS);
  say(byId('bottleneck'), picture.bottleneckText);
  fillBoxes(picture);

  const warnings = [
    ...sinksDown.map(({ sink, seconds, cause }) => `${sink} has been down for ${duration(seconds)}: ${cause}`),
    ...longSilent.map(({ id, seconds }) => `${id} has not answered for ${duration(seconds)}`),
    ...picture.missing,
    ...picture.warnings,
  ];
  byId('warnings').hidden = warnings.length === 0;
  if (byId('warnings').dataset.shown !== warnings.join('\n')) {
    byId('warnings').dataset.shown = warnings.join('\n');
    byId('warnings').replaceChildren(...warnings.map((text) => element('li', {}, text)));
  }
  showActions(picture);
  fillDrawer(picture);
  // With the next frame: a browser that lays out the boxes and the tables of a large run in one task is busy for too long.
  if (!areTablesDue) requestAnimationFrame(() => setTimeout(showTables));
  areTablesDue = true;
}

function showTables() {
  areTablesDue = false;
  const picture = last;
  const { deadLetters, sinksDown } = picture;
  const { length } = picture.processes;
  byId('alert-rules').hidden = picture.alerts.length === 0;
  rows(
    byId('alerts'),
    ['alert', 'state', 'since', 'severity', 'why'],
    picture.alerts.map(({ name, state, sinceMs, severity, why }) => [name, state, time(sinceMs), severity, why]),
  );
  rows(
    byId('inputs'),
    ['source', '#task', '#position', '#behind', '#in time', 'event time reached', 'state'],
    picture.inputs.map((input) => [
      input.source,
      String(input.task),
      input.position === null ? '' : count(input.position),
      input.lag === null ? 'unknown' : count(input.lag),
      ago(input.lagSeconds),
      input.watermarkMs === null ? '' : reached(input.watermarkMs, picture.atMs),
      inputState(input, picture),
    ]),
    sinksDown.length > 0
      ? `Nothing is read: the run ${waitText(sinksDown)}. How far ${sources(graph)} are behind is known once its tasks are open.`
      : 'no task has been assigned yet',
  );
  rows(
    byId('epochs'),
    ['#task', '#number', '#age', '#drain', '#prepare', '#store', '#commit', '#state'],
    picture.epochs.map(({ task, epoch, ageSeconds, drainMs, prepareMs, storeMs, commitMs, bytes: stored }) => [
      count(task),
      count(epoch),
      duration(Math.max(0, Math.round(ageSeconds))),
      ...[drainMs, prepareMs, storeMs, commitMs].map(millis),
      bytes(stored),
    ]),
    'no task has stored one yet',
  );
  happened(
    'restarts',
    ['when', '#task', 'cause'],
    picture.lastRestarts.map(({ atMs, task, cause }) => [moment(atMs), count(task), cause]),
  );
  byId('group').hidden = length === 1 && picture.missing.length === 0;
  rows(
    byId('processes'),
    ['process', 'state', '#tasks', '#read a second', '#thread in use', '#up'],
    picture.processes.map(({ url, tasks, readRate, loop, upSeconds, state }) => [
      url === null ? `${location.host} (this one)` : new URL(url).host,
      processWords[state],
      count(tasks),
      readRate === null ? '' : rate(readRate),
      loop === null ? '' : percent(loop),
      upSeconds === null ? '' : duration(upSeconds),
    ]),
  );
  showMetrics(picture);
  showQuality(picture, lookAt);
  rows(
    byId('models'),
    ['model', 'provider', '#rows', '#failed', '#rows a batch', '#lost batches'],
    picture.models.map(({ model, provider, rows: answered, failed, batches, lost }) => [
      model,
      provider,
      count(answered),
      count(failed),
      batches > 0 ? measure(answered / batches) : '',
      count(lost),
    ]),
    'no ONNX model is loaded',
  );
  rows(
    byId('dead-letters'),
    ['reason', 'step', '#records'],
    deadLetters.map(({ reason, step, count: records }) => [reason, step, count(records)]),
    'none',
  );
  sayLeft('inputs', picture.left.inputs, 'are in /metrics. These are the furthest behind.');
  sayLeft('measures', picture.left.measures, 'go to the metrics sinks.');
}

function sayLeft(list, rowsLeft, where) {
  const line = byId(`${list}-left`);
  line.hidden = rowsLeft === 0;
  say(line, `${count(rowsLeft)} more ${where}`);
}

const sources = ({ nodes }) =>
  nodes
    .filter(({ role }) => role === 'source')
    .map(({ id }) => id)
    .join(', ');
const waitText = (sinksDown) =>
  `waits for ${sinksDown.map(({ sink, seconds }) => `${sink}, down for ${duration(seconds)}`).join(' and ')}`;

function inputState({ isOpen, isWaitedFor, lag, lagRate }, { status, sinksDown }) {
  if (!isOpen) return sinksDown.length > 0 ? `not open yet, ${waitText(sinksDown)}` : 'not open yet';
  if (status === 'paused') return 'paused';
  if (isWaitedFor) return 'waited for';
  return lag === 0 ? 'at its end' : toGo({ lag, lagRate }, status) || 'reading';
}

function toGo({ lag, lagRate }, status) {
  if (!lag || ['paused', 'degraded'].includes(status) || Math.abs(lagRate) < 1) return '';
  return lagRate > 0 ? 'growing' : `${duration(Math.ceil(lag / -lagRate))} to go`;
}
const ago = (seconds) => (seconds === null ? '' : duration(Math.round(seconds)));

/** How long ago that is, unless old records are read. */
function reached(ms, nowMs) {
  const seconds = Math.round((nowMs - ms) / 1_000);
  return seconds >= 0 && seconds < 172_800 ? `${time(ms)}, ${duration(seconds)} ago` : time(ms);
}

function showActions({ status, processes, actions }) {
  const { isAllowed, hasDeadLetters, hasRecords } = actions;
  byId('record').hidden = !hasRecords;
  byId('run-tools').hidden = !isAllowed;
  byId('pause-run').hidden = status === 'paused';
  byId('resume-run').hidden = status !== 'paused';
  byId('really-all').hidden = processes.length === 1;
  byId('letter-tools').hidden = !hasDeadLetters;
  byId('count').hidden = !isAllowed;
  byId('no-actions').hidden = isAllowed;
  showReplays(actions);
}

/** An action of all processes, which names those that do not follow. */
const control = (button, action) =>
  doing(
    button,
    async () => {
      say(byId('run-note'), '');
      const { missing } = await action();
      say(byId('run-note'), missing.length > 0 ? `but ${missing.join('; ')}` : '');
    },
    'run-note',
  );

function tell(state, text) {
  document.body.dataset.state = state;
  byId('status').dataset.is = state;
  say(byId('status'), text);
}

// One stream for all pages of a browser, which opens at most six connections to a server. The page with the lock has the stream, and
// passes on what it hears. When that page is closed, another one gets the lock.

const channel = new BroadcastChannel('millrace');
let heardMs = Date.now();
let heard;
let isLost = false;
let hasEnded = false;

function follow() {
  const stream = new EventSource('live');
  const pass = (message) => {
    channel.postMessage(message);
    hear(message);
  };
  stream.onopen = () => pass({ kind: 'open' });
  stream.onmessage = ({ data }) => pass({ kind: 'picture', data });
  stream.addEventListener('bye', () => pass({ kind: 'bye' }));
  stream.onerror = () => {
    pass({ kind: 'lost' });
    // The browser tries again by itself, unless the answer was no stream.
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, RETRY_MS);
  };
}

function hear({ kind, data }) {
  if (kind === 'open') load().catch(() => undefined);
  if (kind === 'lost') lose();
  if (kind === 'bye') {
    hasEnded = true;
    tell('stopped', 'the run has ended');
    note('the run has ended');
  }
  if (kind !== 'picture' || !graph) return;
  const picture = JSON.parse(data);
  heardMs = Date.now();
  if (isLost) note('the process answers again');
  isLost = false;
  hasEnded = false;
  if (heard) notice(heard, picture);
  heard = picture;
  remember(picture);
  if (!isFrozen) show(picture);
}

/** Once for each silence. */
function lose() {
  if (isLost || hasEnded) return;
  isLost = true;
  const text = `no answer from the process since ${new Date(heardMs).toTimeString().slice(0, 8)}`;
  tell('lost', `${text}; trying again`);
  note(text);
}

/** The past and the drawing: those of the process which answers now. */
async function load() {
  loadPast().catch(() => undefined); // a page without lines is better than none
  const text = await (await fetch('graph')).text();
  if (text === drawing) return;
  drawing = text;
  graph = JSON.parse(text);
  select(undefined);
  draw(graph, select);
}

async function start() {
  await load();
  channel.onmessage = ({ data }) => hear(data);
  setInterval(() => Date.now() - heardMs > SILENT_MS && lose(), 500);
  // Locks exist on loopback and with TLS. Without them each page has its own stream.
  if (navigator.locks) await navigator.locks.request('millrace', () => new Promise(follow));
  else follow();
}

// Keys scroll what has the focus.
for (const table of document.querySelectorAll('.scroll')) table.tabIndex = 0;
byId('freeze').addEventListener('click', ({ target }) => {
  isFrozen = !isFrozen;
  target.setAttribute('aria-pressed', String(isFrozen));
});
byId('span').addEventListener('click', ({ target }) => {
  target.setAttribute('aria-pressed', String(otherSpan() === '2h'));
  loadPast().catch(() => undefined);
});
byId('state-of').addEventListener('submit', (event) => {
  event.preventDefault();
  lookupState().catch((error) => say(byId('state-shown'), error.message));
});
byId('letter-filter').addEventListener('submit', (event) => {
  event.preventDefault();
  look().catch((error) => say(byId('letter-note'), error.message));
});
byId('record-id').addEventListener('submit', (event) => {
  event.preventDefault();
  const { record } = event.target.elements;
  lookForRecord(record.value.trim(), last).catch((error) => say(byId('record-note'), error.message));
});
doing(byId('count'), askReplay);
byId('stop').addEventListener('click', () => byId('sure').showModal());
byId('not-yet').addEventListener('click', () => byId('sure').close());
control(byId('really'), () => {
  byId('sure').close();
  return ask('stop', {});
});
control(byId('really-all'), () => {
  byId('sure').close();
  return ask('stop', { group: true });
});
control(byId('pause-run'), () => ask('pause', {}));
control(byId('resume-run'), () => ask('resume', {}));
byId('savepoint').addEventListener('click', () => {
  byId('save-name').value = `${new Date().toISOString().slice(0, 16).replaceAll(':', '')}`;
  byId('save').showModal();
});
byId('do-not-save').addEventListener('click', () => byId('save').close());
byId('save').addEventListener('submit', async () => {
  const name = byId('save-name').value;
  say(byId('run-note'), `writing the savepoint ${name}`);
  try {
    const { file, bytes } = await ask('savepoints', { name });
    say(byId('run-note'), `savepoint written: ${file}, ${count(bytes)} bytes`);
  } catch (error) {
    say(byId('run-note'), error.message);
  }
});
byId('close').addEventListener('click', closeDrawer);
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') closeDrawer();
});
start().catch((error) => tell('lost', `the page cannot be loaded: ${error.message}`));
