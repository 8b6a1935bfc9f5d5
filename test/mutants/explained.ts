import type { Mutant } from './draw.js';

/** A fault that no test can see, or that no unit test should: why it may survive. */
export interface Explained extends Pick<Mutant, 'file' | 'from' | 'to'> {
  /** A part of its line. */
  readonly in: string;
  readonly why: string;
}

export const explained: readonly Explained[] = [
  {
    file: 'src/state/codec.ts',
    from: '0',
    to: '(-1)',
    in: 'dirty[bucket] = 0;',
    why: 'equivalent: all that reads these marks asks for 1',
  },
  {
    file: 'src/state/map/numbers-by-key-cell.ts',
    from: '0',
    to: '(1)',
    in: 'private dirty = new Uint8Array(0)',
    why: 'equivalent: a longer one takes its place with the first key',
  },
  {
    file: 'src/schema/bytes/byte-reader.ts',
    from: '0',
    to: '(1)',
    in: 'private depth = 0',
    why: 'equivalent: `open` sets it before anything is read',
  },
  {
    file: 'src/schema/plain/csv-cells.ts',
    from: '-',
    to: '+',
    in: 'CARRIAGE_RETURN ? last - 1 : last',
    why: 'equivalent: the fast path gives a row with CRLF up, and splitRow gives the same cells',
  },
  {
    file: 'src/operators/window/engine/session-windows.ts',
    from: "'unmatched'",
    to: 'undefined as never',
    in: 'refused where it is declared',
    why: 'equivalent: check refuses windowOfChanges with sessions, so nothing is taken back from one',
  },
  {
    file: 'src/schema/plain/csv-codec.ts',
    from: 'false',
    to: 'undefined as never',
    in: 'if (!isPart) return',
    why: 'equivalent: who asks takes undefined for false',
  },
  {
    file: 'connectors/file/parquet/packed-cells.ts',
    from: '1_024',
    to: '(1023)',
    in: 'const ROOM',
    why: 'equivalent but for memory: room is doubled when it is used up',
  },
  {
    file: 'connectors/kafka/group/assign-tasks.ts',
    from: '1',
    to: '(2)',
    in: 'sameOwner(id) / (tasks + 1)',
    why: 'equivalent: any share below one breaks ties alike',
  },
  {
    file: 'connectors/kafka/checkpoint/ledger.ts',
    from: '===',
    to: '!==',
    in: 'expected === EARLIEST',
    why: 'needs a broker: test/integration/kafka/ledger.test.ts, "stands at"',
  },
  {
    file: 'connectors/kafka/source.ts',
    from: 'this.records = last.offset < this.end ? records : records.filter(({ offset }) => offset < this.end);',
    to: ';',
    in: 'last.offset < this.end',
    why: 'needs a broker: nothing is read without it, as all of test/integration/kafka shows',
  },
  {
    file: 'src/state/update-log-cell.ts',
    from: '1',
    to: '(0)',
    in: 'private share = 1',
    why: 'equivalent: `cover` sets it before anything is taken',
  },
  {
    file: 'connectors/kafka/protocol/decompressed-size.ts',
    from: '>',
    to: '>=',
    in: 'if (at + 4 > bytes.length) return size',
    why: 'equivalent: at the end of the bytes stands the end mark, which adds nothing, or a block without content',
  },
  {
    file: 'connectors/redis/fenced-writer.ts',
    from: '100_000',
    to: '(99999)',
    in: 'const CALL_STRINGS',
    why: 'equivalent but for the size of calls: what one does not take is in the next',
  },
  {
    file: 'connectors/clickhouse/values/index.ts',
    from: '10',
    to: '(11)',
    in: 'return decimal(Number(parameters[0] ?? 10)',
    why: 'equivalent: ClickHouse names the digits of every decimal, also where a table was declared without',
  },
  {
    file: 'connectors/clickhouse/table/views.ts',
    from: 'views.length === 0',
    to: 'false',
    in: 'if (views.length === 0) return',
    why: 'equivalent but for one query: a table without views has none to set up',
  },
  {
    file: 'src/state/codec.ts',
    from: '&&',
    to: '||',
    in: 'mayBeInexact(bytes) && isInexact(value)',
    why: 'equivalent but for time: the exact form of an exact value is packed into the same bytes',
  },
  {
    file: 'connectors/kafka/protocol/varint.ts',
    from: '31',
    to: '(32)',
    in: 'let rest = ((value << 1) ^ (value >> 31)) >>> 0',
    why: 'equivalent in varintSize: the highest bit, which decides about the size, is the same',
  },
  {
    file: 'connectors/kafka/group/layouts.ts',
    from: '<',
    to: '>=',
    in: 'const ordered = [...claims].sort',
    why: 'equivalent: any order of names decides ties alike in all members, the other way round as well',
  },
  {
    file: 'connectors/redis/server/hash-slot.ts',
    from: '256',
    to: '(257)',
    in: 'const table = Uint16Array.from',
    why: 'equivalent: no byte looks up the entry after the last one',
  },
  {
    file: 'src/state/update-log-cell.ts',
    from: 'this.full.length = 0;',
    to: ';',
    in: 'this.full.length = 0;',
    why: 'equivalent but for memory: what is outgrown is not taken, and dropped with the changes',
  },
  {
    file: 'connectors/file/parquet/packed-cells.ts',
    from: '!nullable && numbers !== undefined',
    to: 'false',
    in: 'return numbers()',
    why: 'equivalent but for time and memory: numbers in a plain array are the same numbers',
  },
  {
    file: 'src/operators/text/split-words.ts',
    from: '+',
    to: '-',
    in: 'others = certain.isWordLike ? 0 : others + 1',
    why: 'equivalent but for time: a window of what is no word is segmented to its end',
  },
  {
    file: 'connectors/kafka/topic-sink.ts',
    from: '0',
    to: '(-1)',
    in: 'let nowMs = 0',
    why: 'equivalent: the clock is read at the first time that is later',
  },
  {
    file: 'connectors/file/parquet/parquet-row-maker.ts',
    from: '2',
    to: '(3)',
    in: 'let bytesMax = 2',
    why: 'equivalent but for a byte of memory: an upper bound',
  },
  {
    file: 'connectors/file/parquet/parquet-row-maker.ts',
    from: '2',
    to: '(1)',
    in: 'let bytesMax = 2',
    why: 'equivalent: of each column a comma is counted, and the first one has none',
  },
  {
    file: 'connectors/kafka/checkpoint/internal-topic.ts',
    from: 'transaction.congested',
    to: 'true',
    in: 'settle: () => (transaction.congested',
    why: 'equivalent but for time: where nothing is congested it resolves at once',
  },
  {
    file: 'src/state/exact-values.ts',
    from: '&&',
    to: '||',
    in: 'byte === 0x5f && bytes[i + 1] === 0x5f',
    why: 'equivalent but for time: more values are looked at closely',
  },
  {
    file: 'src/schema/protobuf/read.ts',
    from: "'null'",
    to: 'undefined as never',
    in: 'presence || value instanceof protobufjs.Type',
    why: 'equivalent but for time: a message without a literal is made field by field',
  },
  {
    file: 'src/state/map/shard.ts',
    from: 'shard.opened = part;',
    to: ';',
    in: 'shard.opened = part',
    why: 'equivalent: a full part is taken by takeWhole, and an empty shard opens as empty',
  },
  {
    file: 'src/state/map/shard.ts',
    from: '<=',
    to: '<',
    in: 'parts <= 1 ? 0',
    why: 'equivalent: the logarithm of 1 is 0',
  },
  {
    file: 'connectors/kafka/connection/broker-connection.ts',
    from: '>=',
    to: '>',
    in: 'performance.now() >= this.signs.untilMs',
    why: 'equivalent but for one instant: the clock has fractions of a millisecond, and the login lasts longer',
  },
  {
    file: 'src/operators/quality/bands.ts',
    from: '0',
    to: '(-1)',
    in: 'low: 0,',
    why: 'equivalent: a band is asked after know() has said that there is one, which sets it',
  },
  {
    file: 'connectors/clickhouse/table/type-text.ts',
    from: '<',
    to: '<=',
    in: 'if (open < 0 ||',
    why: 'equivalent: no type begins with a parenthesis',
  },
  {
    file: 'src/operators/ml/evaluate.ts',
    from: '1',
    to: '(2)',
    in: 'slicesMax: isGood ?',
    why: 'equivalent: a step with problems does not run',
  },
  {
    file: 'src/state/arena-cell.ts',
    from: '2_000',
    to: '(2001)',
    in: 'const BLOCK',
    why: 'equivalent but for the size of blocks, which nothing promises',
  },
  {
    file: 'src/schema/protobuf/scalars.ts',
    from: '>=',
    to: '>',
    in: 'if (value >= 0) w.unsigned(value)',
    why: 'equivalent: zero of 64 bits is the same byte',
  },
  {
    file: 'connectors/http/poll-source.ts',
    from: '0',
    to: '(-1)',
    in: 'private askAtMs = 0',
    why: 'equivalent: a time that has passed',
  },
  {
    file: 'connectors/file/parquet/parquet-values.ts',
    from: '1',
    to: '(0)',
    in: 'MILLIS: {',
    why: 'equivalent but for the speed: times are taken one by one',
  },
  {
    file: 'src/operators/quality/spelling/edit-distance.ts',
    from: '+',
    to: '-',
    in: 'const never = n + m + 1;',
    why: 'equivalent: no distance is above the longer length',
  },
  {
    file: 'src/schema/bytes/recent-bytes.ts',
    from: '10',
    to: '(9)',
    in: 'hash ^ (hash >>> 10)',
    why: 'equivalent but for which strings share an entry',
  },
  {
    file: 'src/operators/window/engine/columns.ts',
    from: '16',
    to: '(15)',
    in: 'new Float64Array(16 *',
    why: 'equivalent: room that grows',
  },
  {
    file: 'connectors/kafka/record-accumulator.ts',
    from: '0',
    to: '(-1)',
    in: 'while ((waves[at]?.bytes ?? 0) > 0',
    why: 'equivalent: both are not above 0',
  },
  {
    file: 'connectors/file/parquet/parquet-values.ts',
    from: '0',
    to: '(1)',
    in: '(left[depth - 1] ?? 0) - 1',
    why: 'equivalent: a level has its number before it is entered',
  },
  {
    file: 'connectors/kafka/protocol/decompressed-size.ts',
    from: '0',
    to: '(-1)',
    in: 'at = 0; at < 5',
    why: 'equivalent: no byte is there, which adds nothing',
  },
];

/** A time, a size or a count that bounds something, by its name. */
const BOUND = /\w(?:MS|Ms|BYTES|Bytes|MAX|Max|ROWS|KEYS|TIMEOUT|Timeout)\w*(?:: number)? ?[=:] /;

/** A bound of a hundred and more that moves by one: a test at the bound finds it where one is promised, and few are to within one. */
const isTuned = ({ kind, from }: Mutant, line: string): boolean =>
  kind === 'constant' && Number(from.replaceAll('_', '')) >= 100 && BOUND.test(line);

export const explanationOf = (mutant: Mutant, line: string): string | undefined =>
  explained.find(
    (each) => each.file === mutant.file && each.from === mutant.from && each.to === mutant.to && line.includes(each.in),
  )?.why ?? (isTuned(mutant, line) ? 'a bound that is not promised to within one' : undefined);
