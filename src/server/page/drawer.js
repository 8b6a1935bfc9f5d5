// The drawer: all that is known of the box that was chosen.

import { age, ask, byId, bytes, count, happened, moment, percent, rate, rows, say } from './dom.js';
import { focusOn, nodeOf } from './graph.js';

let selected;
let picture;

export function select(id) {
  selected = id;
  byId('drawer').hidden = id === undefined;
  if (id === undefined) return;
  const node = nodeOf(id);
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
  byId('state-of').hidden = !picture?.nodes[id]?.hasQueries;
  byId('state-of').reset();
  say(byId('state-shown'), '');
  fill();
  byId('close').focus();
}

/** Gives the drawer the figures of a picture. */
export function fillDrawer(newest) {
  picture = newest;
  fill();
}

function fill() {
  const figures = picture?.nodes[selected];
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
    picture.lastRestarts
      .filter(({ where }) => where === selected)
      .map(({ atMs, task, cause }) => [moment(atMs), count(task), cause]),
  );
}

const sharesText = (shares) =>
  shares
    ? ['busy', 'backpressured', 'idle'].map((name) => [
        name,
        `${percent(shares[name])} of the time, in task ${shares.task}`,
      ])
    : [['busy', 'no data yet']];

const latencyText = (latency) =>
  latency
    ? [['latency', `p50 ${age(latency.p50)}, p99 ${age(latency.p99)} since its source received it, last 10 s`]]
    : [];

/** What the last checkpoint has of a key; any process of the group may be asked. */
export async function lookupState() {
  const { key } = byId('state-of').elements;
  say(byId('state-shown'), 'asking');
  const { value } = await ask(`state/${[selected, key.value].map(encodeURIComponent).join('/')}`);
  say(byId('state-shown'), value === null ? 'nothing is stored for this key' : JSON.stringify(value, null, 2));
}

export function closeDrawer() {
  const was = selected;
  select(undefined);
  if (was !== undefined) focusOn(was);
}
