// The panel of one record: what the topics and the state of the run have of it, in the order of time.

import { byId, bytes, count, rows, say } from './dom.js';

/** Steps that are asked for the state of a key, and names of steps on a way. */
const STEPS_MAX = 20;

/** The steps that records of a source go through, and the further inputs of steps that they come to, such as labels. */
function pathOf(graph, source) {
  const [steps, inputs] = [new Set(), new Set()];
  const follow = (id) => {
    for (const { from, to, name } of graph.edges) {
      if (from !== id) continue;
      if (name) inputs.add(`${name} of ${to}`);
      else if (!steps.has(to)) {
        steps.add(to);
        follow(to);
      }
    }
  };
  follow(source);
  return { steps: [...steps], inputs: [...inputs] };
}

/** Whether a committed epoch of its task has the record. */
function readText({ partition, offset }, node, inputs) {
  const input = inputs.find(({ source, task }) => source === node && task === partition);
  if (!input) return 'its task is not shown here';
  return offset < input.position ? 'read and committed' : 'not read yet';
}

function whatOf({ node, role }, record, graph, picture) {
  if (role === 'dead letters') {
    const { reason, step } = record.letter ?? { reason: 'unknown', step: 'unknown' };
    return `dead letter of ${step}: ${reason}`;
  }
  if (role === 'sink') return `written by ${node}`;
  const { steps, inputs } = pathOf(graph, node);
  const then = [...steps.slice(0, STEPS_MAX), ...(steps.length > STEPS_MAX ? ['…'] : [])];
  return [
    `${node}: ${readText(record, node, picture.inputs)}`,
    ...(inputs.length > 0 ? [`as ${inputs.join(', ')}`] : []),
    ...(then.length > 0 ? [`then ${then.join(', ')}`] : []),
  ].join('; ');
}

const cut = (text) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

/** A row for each record that was found, the oldest first. */
const recordRows = (topics, graph, picture) =>
  topics
    .flatMap((topic) => topic.records.map((record) => ({ topic, record })))
    .sort((a, b) => (a.record.timestamp < b.record.timestamp ? -1 : 1))
    .map(({ topic, record }) => [
      record.timestamp.replace('T', ' ').slice(0, 19),
      whatOf(topic, record, graph, picture),
      record.origin ? `${record.place}, from ${record.origin}` : record.place,
      record.values ? cut(`${record.values.key ?? 'no key'}: ${record.values.record}`) : bytes(record.bytes),
    ]);

/** What the last checkpoint has of a key in each step that answers. */
async function stateRows(id, partition, { nodes }) {
  const steps = Object.keys(nodes).filter((step) => nodes[step].hasQueries);
  const answers = steps.slice(0, STEPS_MAX).map(async (step) => {
    const answer = await fetch(`state/${[step, id].map(encodeURIComponent).join('/')}${partition}`);
    const { value, epoch, retry, error } = await answer.json();
    if (value === null) return [];
    return [
      [
        '',
        `state of ${step}`,
        epoch === undefined ? '' : `checkpoint ${epoch}`,
        retry ?? error ?? cut(JSON.stringify(value)),
      ],
    ];
  });
  return (await Promise.all(answers)).flat();
}

function noteText({ topics, isCut }) {
  const found = topics.filter((topic) => topic.found > 0);
  const more = found
    .filter((topic) => topic.found > topic.records.length)
    .map((topic) => `${topic.records.length} of ${count(topic.found)} in ${topic.topic} are shown, the newest`);
  const read = topics.map(
    ({ topic, scanned, entries }) => `${count(scanned)} of ${count(entries)} entries of ${topic}`,
  );
  return [
    found.length === 0 ? 'Found in no topic.' : '',
    ...more.map((text) => `${text}.`),
    `Read ${read.join(', ')}.`,
    isCut ? 'The look ended early, since it had read for five seconds or 64 MB.' : '',
  ]
    .filter(Boolean)
    .join(' ');
}

/** Looks for a record; `ask` sends a request, and throws what it is answered with if that is an error. */
export async function lookForRecord(id, graph, picture, ask) {
  say(byId('record-note'), 'looking');
  const trail = await ask(`record?${new URLSearchParams({ id })}`);
  const own = trail.topics.filter(({ role }) => role === 'source').flatMap(({ records }) => records)[0];
  const partition = own && own.place !== id ? `?partition=${own.partition}` : '';
  const states = own && own.place === id ? [] : await stateRows(id, partition, picture);
  rows(
    byId('record-rows'),
    ['time', 'what', 'where', 'content'],
    [...recordRows(trail.topics, graph, picture), ...states],
    'nothing is known of it',
  );
  say(byId('record-note'), noteText(trail));
}
