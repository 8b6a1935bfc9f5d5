// The live page: a drawing that is made once, and figures that change once a second. Values reach it as text only.

import {
  age,
  byId,
  bytes,
  count,
  drawn,
  duration,
  element,
  measure,
  millis,
  moment,
  percent,
  rate,
  rows,
  say,
  time,
} from './dom.js';
import { drawLines, loadPast, otherSpan, remember } from './lines.js';
import { showMetrics, showQuality } from './panels.js';
import { lookForRecord } from './record.js';

const EVENTS_MAX = 50;
const RETRY_MS = 2_000;
const LONG_SILENT_SECONDS = 5;
/** Pictures come once a second. */
const SILENT_MS = 2_500;
/** Boxes that are not on the screen get new figures with every so many pictures. */
const AWAY_PICTURES = 5;

// The drawing

const boxes = new Map();
const lines = [];
/** The boxes on the screen. The browser has to lay out each text that changes, so the others change less often. */
const onScreen = new Set();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const { id } = target.dataset;
    if (!isIntersecting) onScreen.delete(id);
    else if (!onScreen.has(id)) {
      onScreen.add(id);
      fillBox(id);
    }
  }
});
let drawing;
let graph;
let selected;

function path(points) {
  const [first, ...rest] = points;
  let at = `M${first[0]},${first[1]}`;
  for (let i = 0; i < rest.length; i++) {
    const [x, y] = rest[i];
    const next = rest[i + 1];
    // Through the middle of two points, so that a line bends and does not break.
    at += next ? ` Q${x},${y} ${(x + next[0]) / 2},${(y + next[1]) / 2}` : ` L${x},${y}`;
  }
  return at;
}

const shortened = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function draw() {
  boxes.clear();
  onScreen.clear();
  watcher.disconnect();
  lines.length = 0;
  selected = undefined;
  byId('drawer').hidden = true;
  const svg = drawn('svg', { width: graph.width, height: graph.height, viewBox: `0 0 ${graph.width} ${graph.height}` });
  for (const { from, to, name, points } of graph.edges) {
    const line = drawn('path', { d: path(points), class: `edge${name ? ' further' : ''}` });
    line.append(drawn('title', {}, `${from} to ${to}${name ? ` (${name})` : ''}`));
    lines.push({ from, line });
    svg.append(line);
  }
  for (const node of graph.nodes) {
    const { id, role, kind, x, y, width, height, keepsState } = node;
    const label = `${role} ${id}, ${kind}`;
    const group = drawn('g', {
      class: `node ${role}${keepsState ? ' keeps' : ''}`,
      transform: `translate(${x},${y})`,
      tabindex: 0,
      role: 'button',
      'data-id': id,
    });
    const title = drawn('title', {}, keepsState ? `${label}; it keeps state` : label);
    const busy = drawn('rect', { class: 'busy', x: 8, y: height - 6, width: 0, height: 3 });
    const backpressured = drawn('rect', { class: 'backpressured', x: 8, y: height - 6, width: 0, height: 3 });
    const figures = drawn('text', { class: 'small', x: 12, y: 49 }, 'no data yet');
    const bad = drawn('text', { class: 'bad', x: width - 12, y: 63, 'text-anchor': 'end' });
    const p99 = drawn('text', { class: 'small', x: 12, y: 63 });
    group.append(
      title,
      drawn('rect', { class: 'box', width, height }),
      drawn('text', { x: 12, y: 19 }, shortened(id, 18)),
      drawn('text', { class: 'small', x: 12, y: 34 }, shortened(kind, 22)),
      figures,
      bad,
      p99,
      busy,
      backpressured,
    );
    group.addEventListener('click', () => select(id));
    group.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') select(id);
      const next = nextTo(id, event.key);
      if (next) boxes.get(next).group.focus();
      // Enter would press what has the focus then: the button that closes.
      if (next || event.key === ' ' || event.key === 'Enter') event.preventDefault();
    });
    boxes.set(id, { node, group, figures, bad, p99, busy, backpressured });
    svg.append(group);
    watcher.observe(group);
  }
  // It fills the page, and is scrolled where its texts would become too small.
  svg.style.maxWidth = `${graph.width}px`;
  svg.style.minWidth = `${Math.round(graph.width * 0.75)}px`;
  byId('graph').replaceChildren(svg);
  say(byId('topology'), graph.topology);
  document.title = `${graph.topology} – Millrace`;
}

/** Arrow keys follow the lines, and go up and down within a layer. */
function nextTo(id, key) {
  if (key === 'ArrowRight') return graph.edges.find(({ from }) => from === id)?.to;
  if (key === 'ArrowLeft') return graph.edges.find(({ to }) => to === id)?.from;
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step === undefined) return undefined;
  const { x } = boxes.get(id).node;
  const layer = graph.nodes.filter((node) => node.x === x).sort((a, b) => a.y - b.y);
  return layer[layer.findIndex((node) => node.id === id) + step]?.id;
}

// The drawer

function select(id) {
  selected = id;
  byId('drawer').hidden = id === undefined;
  if (id === undefined) return;
  const { node } = boxes.get(id);
  say(byId('drawer-title'), id);
  say(
    byId('drawer-kind'),
    [node.kind, node.guarantee, node.keepsState ? 'keeps state' : ''].filter(Boolean).join(' · '),
  );
  rows(
    byId('drawer-settings'),
    [],
    Object.entries(node.settings).map(([name, value]) => [name, String(value)]),
    'no options',
  );
  byId('state-of').hidden = !last?.nodes[id]?.hasQueries;
  byId('state-of').reset();
  say(byId('state-shown'), '');
  fillDrawer();
  byId('close').focus();
}
function fillDrawer() {
  const figures = last?.nodes[selected];
  if (selected === undefined || !figures) return;
  rows(
    byId('drawer-figures'),
    [],
    [
      ['in', `${count(figures.in)}, ${rate(figures.inRate)} a second`],
      ['out', `${count(figures.out)}, ${rate(figures.outRate)} a second`],
      ...sharesText(figures.shares),
      ...latencyText(figures.latency),
      ['dead letters', count(figures.deadLetters)],
      ...Object.entries(figures.counts).map(([name, value]) => [name, count(value)]),
      ...(figures.stateBytes > 0 ? [['state stored', bytes(figures.stateBytes)]] : []),
    ],
  );
  happened(
    'drawer-errors',
    ['when', 'reason', 'record', '#task'],
    figures.errors.map(({ atMs, reason, place, task }) => [moment(atMs), reason, place, count(task)]),
  );
  happened(
    'drawer-restarts',
    ['when', '#task', 'cause'],
    last.lastRestarts
      .filter(({ where }) => where === selected)
      .map(({ atMs, task, cause }) => [moment(atMs), count(task), cause]),
  );
}
/** A table of what happened, hidden while it is empty. */
function happened(name, heads, values) {
  byId(`${name}-of`).hidden = values.length === 0;
  rows(byId(name), heads, values);
}
const sharesText = (shares) =>
  shares
    ? ['busy', 'backpressured', 'idle'].map((name) => [
        name,
        `${percent(shares[name])} of the time, in task ${shares.task}`,
      ])
    : [['busy', 'no data yet']];

const latencyText = (latency) =>
  latency ? [['received', `p50 ${age(latency.p50)} ago, p99 ${age(latency.p99)} ago, last 10 s`]] : [];

/** What the last checkpoint has of a key; any process of the group may be asked. */
async function lookUpState() {
  const { key } = byId('state-of').elements;
  say(byId('state-shown'), 'asking');
  const answer = await fetch(`state/${[selected, key.value].map(encodeURIComponent).join('/')}`);
  const { value, retry, error, hint } = await answer.json();
  const why = [error ?? retry, hint].filter(Boolean).join('; ');
  say(byId('state-shown'), why || (value === null ? 'nothing is stored for this key' : JSON.stringify(value, null, 2)));
}

function closeDrawer() {
  const was = selected;
  select(undefined);
  if (was !== undefined) boxes.get(was).group.focus();
}

// One picture

let last;
let pictures = 0;
let areTablesDue = false;
let isFrozen = false;
const statusWords = {
  ok: 'running',
  paused: 'paused',
  degraded: 'degraded: a sink is down',
  partial: 'running, not all processes answer',
  stopped: 'stopped',
};

const statusText = ({ status, tasks, tasksAtRest }) =>
  status === 'paused' && tasksAtRest < tasks
    ? `pausing: ${tasksAtRest} of ${tasks} tasks are at rest`
    : statusWords[status];

const processWords = {
  here: 'answers',
  answers: 'answers',
  asked: 'asked',
  silent: 'does not answer',
  'another version': 'runs another version',
};

function show(picture) {
  last = picture;
  const { status, upSeconds, nodes, sinksDown, deadLetters } = picture;
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
  const inTime = picture.lagSeconds ? ` and ${ago(picture.lagSeconds)}` : '';
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
  pictures += 1;
  for (const [i, id] of [...boxes.keys()].entries())
    if (onScreen.has(id) || (pictures + i) % AWAY_PICTURES === 0) fillBox(id);
  for (const { from, line } of lines) line.classList.toggle('flows', (nodes[from]?.outRate ?? 0) > 0.05);

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
  fillDrawer();
  // With the next frame: a browser that lays out the boxes and the tables of a large run in one task is busy for too long.
  if (!areTablesDue) requestAnimationFrame(() => setTimeout(showTables));
  areTablesDue = true;
}

function showTables() {
  areTablesDue = false;
  const picture = last;
  const { status, deadLetters, sinksDown } = picture;
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
    picture.inputs.map(({ source, task, position, lag, lagRate, lagSeconds, watermarkMs, isWaitedFor }) => [
      source,
      String(task),
      count(position),
      lag === null ? 'unknown' : count(lag),
      ago(lagSeconds),
      watermarkMs === null ? '' : reached(watermarkMs, picture.atMs),
      status === 'paused'
        ? 'paused'
        : isWaitedFor
          ? 'waited for'
          : lag === 0
            ? 'at its end'
            : toGo({ lag, lagRate }, status) || 'reading',
    ]),
    sinksDown.length > 0 ? 'tasks are opened when the sinks that are down answer' : 'no task has been assigned yet',
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

function fillBox(id) {
  if (!last) return;
  const { node, group, figures, bad, p99, busy, backpressured } = boxes.get(id);
  const { nodes, sinksDown, silent, bottleneck } = last;
  const isDown = sinksDown.some(({ sink }) => sink === id) || silent.some((each) => each.id === id);
  group.classList.toggle('down', isDown);
  group.classList.toggle('bottleneck', bottleneck?.id === id);
  const of = nodes[id];
  if (!of) return;
  say(figures, `${rate(node.role === 'source' ? of.inRate : of.outRate)}/s · ${count(of.out)}`);
  say(p99, of.latency ? `p99 ${age(of.latency.p99)}` : '');
  say(bad, of.deadLetters > 0 ? `${count(of.deadLetters)} dead` : '');
  const [busyWidth, waitWidth] = [of.shares?.busy ?? 0, of.shares?.backpressured ?? 0].map((share) =>
    Math.round(share * (node.width - 16)),
  );
  busy.setAttribute('width', String(busyWidth));
  backpressured.setAttribute('x', String(8 + busyWidth));
  backpressured.setAttribute('width', String(waitWidth));
}

/** How soon nothing is behind, if it goes on like this. */
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

// Dead letters, to be looked at and sent again

const chosen = new Set();
const replayItems = new Map();

function showActions({ status, processes, actions: { isAllowed, hasDeadLetters, hasRecords, replays } }) {
  byId('record').hidden = !hasRecords;
  byId('run-tools').hidden = !isAllowed;
  byId('pause-run').hidden = status === 'paused';
  byId('resume-run').hidden = status !== 'paused';
  byId('really-all').hidden = processes.length === 1;
  byId('letter-tools').hidden = !hasDeadLetters;
  byId('count').hidden = !isAllowed;
  byId('no-actions').hidden = isAllowed;
  for (const replay of replays) showReplay(replay);
  const ids = new Set(replays.map(({ id }) => id));
  for (const [id, { item }] of replayItems) {
    if (ids.has(id)) continue;
    item.remove();
    replayItems.delete(id);
  }
}

async function ask(path, body) {
  const sent = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(path, sent);
  const said = await answer.json();
  if (!answer.ok) throw new Error([said.message ?? said.error, said.hint].filter(Boolean).join('; '));
  return said;
}

/** Does what a button says, and tells why it could not. */
const doing = (button, action, noteId = 'letter-note') =>
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await action();
    } catch (error) {
      say(byId(noteId), error.message);
    } finally {
      button.disabled = false;
    }
  });

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

function selection() {
  const { reason, step, again } = byId('letter-filter').elements;
  return {
    ...(reason.value && { reason: reason.value }),
    ...(step.value && { step: step.value }),
    again: again.checked,
  };
}

async function look() {
  const { topic, entries, scanned, groups, letters } = await ask(`dead-letters?${new URLSearchParams(selection())}`);
  choices('reason', groups);
  choices('step', groups);
  chosen.clear();
  sayChosen();
  const part =
    scanned < entries
      ? `the newest ${count(scanned)} dead letters in ${topic} (${count(entries)} entries)`
      : `all ${count(scanned)} dead letters in ${topic}`;
  const again = groups.reduce((sum, { replayed }) => sum + replayed, 0);
  say(
    byId('letter-note'),
    `${letters.length} of ${part}, the newest first. ${count(again)} had been sent again and failed again.`,
  );
  const withValues = letters.some(({ values }) => values);
  const { isAllowed } = last.actions;
  const heads = [
    ...(isAllowed ? ['choose'] : []),
    ...['event time', 'reason', 'step', 'came from', '#bytes'],
    ...(withValues ? ['why', 'record'] : []),
  ];
  byId('letter-rows').dataset.shape = ''; // none is chosen any more
  rows(
    byId('letter-rows'),
    heads,
    letters.map(({ place, timestamp, reason, step, origin, replayed, bytes, values }) => [
      ...(isAllowed ? [{ key: place, make: () => chooser(place) }] : []),
      timestamp.replace('T', ' ').slice(0, 19),
      replayed ? `${reason} (again)` : reason,
      step,
      origin ?? 'unknown',
      count(bytes),
      ...(values ? [values.detail, values.record] : []),
    ]),
    'none that match',
  );
}

/** The dead letters of a rule. */
async function lookAt(step, reason) {
  choices('reason', [{ reason }]);
  choices('step', [{ step }]);
  const { elements } = byId('letter-filter');
  elements.reason.value = reason;
  elements.step.value = step;
  byId('letters').scrollIntoView();
  elements.reason.focus();
  await look().catch((error) => say(byId('letter-note'), error.message));
}

function choices(name, groups) {
  const list = byId('letter-filter').elements[name];
  const known = new Set([...list.options].map(({ value }) => value));
  for (const group of groups) {
    if (known.has(group[name])) continue;
    known.add(group[name]);
    list.append(element('option', { value: group[name] }, group[name]));
  }
}

function chooser(place) {
  const box = element('input', { type: 'checkbox', 'aria-label': `choose dead letter ${place}` });
  box.addEventListener('change', () => {
    if (box.checked) chosen.add(place);
    else chosen.delete(place);
    sayChosen();
  });
  return box;
}

const sayChosen = () =>
  say(byId('count'), chosen.size > 0 ? `Replay the ${chosen.size} chosen…` : 'Replay all that match…');

const replayWords = {
  counting: ({ what }) => `counting ${what}`,
  counted: ({ found, what, records }) => `${count(found)} to ${targets(records)}: ${what}`,
  sending: ({ sent, found, what }) => `${count(sent)} of ${count(found)} sent: ${what}`,
  sent: ({ sent, records, what }) => `${count(sent)} sent to ${targets(records)}: ${what}`,
  stopped: ({ sent, found, what }) => `stopped after ${count(sent)} of ${count(found)}: ${what}`,
  failed: ({ sent, what, error }) => `failed after ${count(sent)}: ${what}: ${error}`,
};
function targets(records) {
  const topics = [...new Set(records.map(({ topic }) => topic))];
  return topics.length > 0 ? `${topics.join(', ')} (${records.length} partitions)` : 'no topic';
}

/** One line a replay, which keeps its buttons while its figures change. */
function showReplay(replay) {
  const { id, state, by, startedMs, found, sent, read } = replay;
  if (!replayItems.has(id)) {
    const [text, bar] = [element('span'), element('progress', { max: 1, 'aria-label': `progress of ${id}` })];
    const [send, stop] = [element('button', { type: 'button' }), element('button', { type: 'button' }, 'Stop')];
    doing(send, async () => showReplay(await ask('replays/send', { id })));
    doing(stop, async () => showReplay(await ask('replays/stop', { id })));
    const item = element('li', {}, text, bar, send, stop);
    byId('replays').prepend(item);
    replayItems.set(id, { item, text, bar, send, stop });
  }
  const { text, bar, send, stop } = replayItems.get(id);
  const isUnderWay = state === 'counting' || state === 'sending';
  say(text, `${id}, ${time(startedMs).slice(11)} by ${by}: ${replayWords[state](replay)}`);
  say(send, `Send ${count(found)}`);
  send.hidden = state !== 'counted' || found === 0;
  stop.hidden = !isUnderWay;
  bar.hidden = !isUnderWay;
  bar.value = state === 'sending' && found > 0 ? sent / found : read;
}

function tell(state, text) {
  document.body.dataset.state = state;
  byId('status').dataset.is = state;
  say(byId('status'), text);
}

// What happened while somebody looked: a line for each change of state, the newest first.

function note(text) {
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

function notice(before, now) {
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
  draw();
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
  lookUpState().catch((error) => say(byId('state-shown'), error.message));
});
byId('letter-filter').addEventListener('submit', (event) => {
  event.preventDefault();
  look().catch((error) => say(byId('letter-note'), error.message));
});
byId('record-id').addEventListener('submit', (event) => {
  event.preventDefault();
  const { record } = event.target.elements;
  lookForRecord(record.value.trim(), graph, last, ask).catch((error) => say(byId('record-note'), error.message));
});
doing(byId('count'), async () => {
  const places = chosen.size > 0 ? { places: [...chosen] } : {};
  showReplay(await ask('replays', { ...selection(), ...places }));
  say(byId('letter-note'), 'A replay is sent after it has been counted: see below.');
});
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
