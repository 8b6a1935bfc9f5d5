// The panel of one record: what the topics and the state of the run have of it, in the order of time.

import { ask, byId, bytes, count, rows, say } from './dom.js';

/** Steps that are asked for the state of a key. */
const STEPS_MAX = 20;

/** Whether a committed epoch of its task has the record. */
function readText({ partition, offset }, node, inputs) {
  const input = inputs.find(({ source, task }) => source === node && task === partition);
  if (!input?.isOpen) return 'its task is not shown here, or not open yet';
  return offset < input.position ? 'read and committed' : 'not read yet';
}

function whatOf({ node, role }, record, picture) {
  if (role === 'dead letters') {
    const { reason, step } = record.letter ?? { reason: 'unknown', step: 'unknown' };
    return `dead letter of ${step}: ${reason}`;
  }
  if (role === 'sink') return `written by ${node}`;
  return [`${node}: ${readText(record, node, picture.inputs)}`, record.way].filter(Boolean).join('; ');
}

const cut = (text) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

/** A row for each record that was found, the oldest first. */
const recordRows = (topics, picture) =>
  topics
    .flatMap((topic) => topic.records.map((record) => ({ topic, record })))
    .sort((a, b) => (a.record.timestamp < b.record.timestamp ? -1 : 1))
    .map(({ topic, record }) => [
      record.timestamp.replace('T', ' ').slice(0, 19),
      whatOf(topic, record, picture),
      record.origin ? `${record.place}, from ${record.origin}` : record.place,
      record.values ? cut(`${record.values.key ?? 'no key'}: ${record.values.record}`) : bytes(record.bytes),
    ]);

/** What the last checkpoint has of a key in each step that answers. */
async function stateRows(id, partition, { nodes }) {
  const steps = Object.keys(nodes).filter((step) => nodes[step].hasQueries);
  const answers = steps.slice(0, STEPS_MAX).map(async (step) => {
    const path = `state/${[step, id].map(encodeURIComponent).join('/')}${partition}`;
    try {
      const { value, epoch } = await ask(path);
      return value === null ? [] : [['', `state of ${step}`, `checkpoint ${epoch}`, cut(JSON.stringify(value))]];
    } catch (error) {
      return [['', `state of ${step}`, '', error.message]];
    }
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

/** Looks for a record. */
export async function lookForRecord(id, picture) {
  say(byId('record-note'), 'looking');
  const trail = await ask(`record?${new URLSearchParams({ id })}`);
  const own = trail.topics.filter(({ role }) => role === 'source').flatMap(({ records }) => records)[0];
  const partition = own && own.place !== id ? `?partition=${own.partition}` : '';
  const states = own && own.place === id ? [] : await stateRows(id, partition, picture);
  rows(
    byId('record-rows'),
    ['time', 'what', 'where', 'content'],
    [...recordRows(trail.topics, picture), ...states],
    'nothing is known of it',
  );
  say(byId('record-note'), noteText(trail));
}
