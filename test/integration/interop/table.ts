import { isRefusal, type PayloadCase } from './case.js';
import { avroCases } from './cases/avro.js';
import { jsonSchemaCases } from './cases/json-schema.js';
import { plainCases } from './cases/plain.js';
import { protobufCases } from './cases/protobuf.js';
import { subjectCases } from './cases/subjects.js';
import { type Client, clients } from './clients.js';
import { compressions, transports } from './transports.js';

// The cases as tables, for the documents: what is tested is what is promised.

const BOTH = '⇄';
const WE_READ = '→';
const NEITHER = '';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`.replaceAll('  ', ' ')).join('\n');

const outcomeOf = ({ read }: PayloadCase) => (isRefusal(read) ? `\`${read.refused}\`` : 'read');

function directions({ formats, cannotRead, leavesOut }: Client, payload: PayloadCase): string {
  if (!formats.includes(payload.format) || leavesOut(payload) !== undefined) return NEITHER;
  return cannotRead?.[payload.format] === undefined ? BOTH : WE_READ;
}

/** One row for what is evolved, however many versions it has. */
function payloadTable(cases: readonly PayloadCase[]): string {
  const speaking = clients.filter(({ formats }) => cases.some(({ format }) => formats.includes(format)));
  const rows = cases
    .filter(({ versions }) => versions !== 'new to old')
    .map((payload) => {
      const { what } = payload;
      const back = cases.find((each) => each.what === what && each.versions === 'new to old');
      const clientCells = speaking.map((client) => directions(client, payload));
      return [what, outcomeOf(payload), back === undefined ? '' : outcomeOf(back), ...clientCells];
    });
  return table(['', 'old to new', 'new to old', ...speaking.map(({ title }) => title)], rows);
}

/** Why a client is left out somewhere, once each. */
function reasons(): string {
  const all: readonly PayloadCase[] = [...avroCases, ...jsonSchemaCases, ...protobufCases];
  const lines = clients.flatMap(({ title, formats, leavesOut, cannotRead = {}, readsWith }) => [
    ...(readsWith === "the writer's" ? [`${title} reads with the writer's schema, whatever it is.`] : []),
    ...all
      .filter(({ format }) => formats.includes(format))
      .map((payload) => leavesOut(payload))
      .filter((reason) => reason !== undefined)
      .map((reason) => `${title}: ${reason}.`),
    ...Object.entries(cannotRead).map(([format, reason]) => `${title}, of ${format}: ${reason}.`),
  ]);
  return [...new Set(lines)].map((line) => `- ${line}`).join('\n');
}

export const matrix = (): Readonly<Record<string, string>> => ({
  avro: payloadTable(avroCases),
  'json-schema': payloadTable(jsonSchemaCases),
  protobuf: payloadTable(protobufCases),
  'left out': reasons(),
  plain: table(
    ['', '', 'Python', 'kcat'],
    plainCases.map(({ format, what, ours, theirs }) => [
      `\`${format}\``,
      isRefusal(ours) ? `${what}: \`${ours.refused}\`` : what,
      theirs === undefined ? NEITHER : isRefusal(ours) ? WE_READ : BOTH,
      isRefusal(ours) ? WE_READ : BOTH,
    ]),
  ),
  subjects: subjectCases.map(({ format }) => `\`${format}\``).join(', '),
  batches: table(
    ['', ...compressions],
    transports.map(({ title, writes, reads }) => [
      title,
      ...compressions.map((each) => (reads.includes(each) ? BOTH : writes.includes(each) ? WE_READ : NEITHER)),
    ]),
  ),
});
