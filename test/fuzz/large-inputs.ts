import { gzipSync } from 'node:zlib';
import { Encoder } from '@toondepauw/node-zstd';
import { bytesOf } from '../../connectors/file/bytes.js';
import { linesOf, NotJson, valuesOf } from '../../connectors/http/ingest-body.js';
import { compress } from '../../connectors/kafka/protocol/compression.js';
import { MillraceError } from '../../src/core/errors.js';
import type { BatchedShape, Operator, Services, StepContext } from '../../src/core/operator.js';
import { cleanText } from '../../src/operators/text/clean-text.js';
import { detectLanguage } from '../../src/operators/text/detect-language.js';
import { maskPii } from '../../src/operators/text/mask-pii.js';
import { type PiiKind, piiKinds } from '../../src/operators/text/pii/kinds.js';
import { splitWords } from '../../src/operators/text/split-words.js';
import { DecodeFailure, localRegistry, openCodec } from '../../src/schema/index.js';
import { driveOperator } from '../../src/testing/operator-contract.js';
import { nextTurn } from '../../src/util/next-turn.js';
import { dataBatch, rangeOf, sectionOf } from '../connectors/kafka/batches.js';
import { headerBomb, lz4OfBlocks, snappyOf, zstdOfRuns } from '../connectors/kafka/bombs.js';
import { type Chance, chanceOf } from './chance.js';
import { type CostLimits, limits, withinLimits } from './costs.js';
import { formats } from './payloads/formats.js';

// Inputs of up to 1 MiB that say the same again and again, or become much: whatever reads them, no turn of the loop may take long.

const MIB = 2 ** 20;

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

interface Doc {
  readonly text: string;
}

type Work = () => unknown;
/** Makes an input and what is to be done with it; what is measured does not begin before. */
type Subject = (chance: Chance) => Promise<Work> | Work;

const fragments = [
  ...[
    '.',
    ',',
    'a',
    ' ',
    'a ',
    "a'",
    '_.',
    '\u0301',
    'e\u0301',
    ' \u0301',
    '👍',
    '…',
    '漢',
    'ก',
    'é è ',
    '\u200b',
    '１',
    'İ',
    '\ud800',
  ],
  ...[
    '<',
    '<a ',
    '<!--',
    '<script>',
    '&',
    '&amp;',
    '&#x',
    '1',
    '1-',
    '4111 ',
    '@',
    'a@',
    'a.b@c.',
    '+49 ',
    'DE89 ',
    ':',
    '::',
    '1.',
  ],
  ...[
    '"',
    '""',
    '{',
    '[',
    '[],',
    '{"a":',
    '0,',
    '1e9',
    '\\u0000',
    '\\',
    '\n',
    '\0',
    ';',
    'The quick brown fox. ',
    'x'.repeat(300),
  ],
];

function largeText({ below, pick, oneIn }: Chance): string {
  const bytes = pick([MIB / 16, MIB / 4, MIB]) - 1_024;
  const said = Array.from({ length: 1 + below(3) }, () => pick(fragments)).join('');
  const text = said.repeat(bytes / Buffer.byteLength(said));
  return oneIn(2) ? text : pick(fragments) + text + pick(fragments);
}

const refusable = (error: unknown): boolean =>
  error instanceof DecodeFailure || error instanceof MillraceError || error instanceof NotJson;

/** What is refused by a limit has cost nothing beyond it: that is all that is asked of it. */
function orRefused(work: Work): Work {
  return async () => {
    try {
      return await work();
    } catch (error) {
      if (refusable(error)) return undefined;
      throw error;
    }
  };
}

const through = (operator: Operator<Doc, unknown>): Subject => {
  return (chance) => {
    const value = { text: largeText(chance) };
    return () => driveOperator(operator, [{ value }]);
  };
};

const find = Object.fromEntries(piiKinds.map((kind) => [kind, 'replace'])) as Record<PiiKind, 'replace'>;

const operators: Readonly<Record<string, Operator<Doc, unknown>>> = {
  splitWords: splitWords<Doc, 'words'>({ from: ({ text }) => text, as: 'words', wordsMax: 1_000 }),
  cleanText: cleanText<Doc>({ text: { html: true, form: 'NFKC', lowerCase: true } }),
  maskPii: maskPii<Doc>({ fields: ['text'], find }),
};

const language: Subject = async (chance) => {
  const operator = detectLanguage<Doc, 'language'>({ from: ({ text }) => text, as: 'language' });
  const context = { counter: () => ({ add: () => undefined }) } as unknown as StepContext;
  const logic = await (operator.shape as BatchedShape).open(context, {} as Services);
  const value = { text: largeText(chance) };
  return () => logic.onBatch([value], []);
};

const codecs = once(async () => {
  const opened = Object.entries(formats).map(
    async ([name, { schema }]) => [name, await openCodec(schema, localRegistry())] as const,
  );
  return new Map(await Promise.all(opened));
});

const payload =
  (name: string): Subject =>
  async (chance) => {
    const { values, headerBytes, hostile } = formats[name] as (typeof formats)[string];
    const codec = (await codecs()).get(name) as Awaited<ReturnType<typeof openCodec>>;
    const header = codec.encode(values[0]).subarray(0, headerBytes);
    const piece = Buffer.from(hostile(chance));
    const again = Math.max(1, Math.floor((MIB - headerBytes) / Math.max(1, piece.length)));
    const body = chance.oneIn(2) ? Buffer.from(largeText(chance)) : Buffer.concat(Array(again).fill(piece));
    const bytes = Buffer.concat([header, body.subarray(0, MIB - headerBytes)]);
    return orRefused(() => codec.decode(bytes));
  };

const body: Subject = (chance) => {
  const bytes = Buffer.from(largeText(chance));
  const split = chance.pick([linesOf, valuesOf]);
  return orRefused(async () => {
    for (const value of split(bytes)) if (value === undefined) await nextTurn();
  });
};

/** Of what a file becomes, as much as shows how it comes. */
const READ_BYTES = 32 * MIB;
const gzipBomb = once(() => gzipSync(Buffer.alloc(READ_BYTES)));

const file: Subject = (chance) => {
  const text = Buffer.from(largeText(chance));
  const isZst = chance.oneIn(2);
  const bomb = isZst ? zstdOfRuns(4_000) : gzipBomb();
  const bytes = chance.oneIn(3) ? bomb : isZst ? new Encoder(3).encodeSync(text) : gzipSync(text, { level: 1 });
  return orRefused(async () => {
    let read = 0;
    const open = async function* () {
      yield bytes;
    };
    for await (const piece of bytesOf(isZst ? 'a.zst' : 'a.gz', 0, open)) {
      read += piece.length;
      if (read >= READ_BYTES) break;
    }
  });
};

const batch: Subject = (chance) => {
  const { below, pick } = chance;
  const bombs: (() => Buffer)[] = [
    () => headerBomb(1 + below(1_000_000)),
    () => headerBomb(1 + below(1_000), 1 + below(500)),
    () => sectionOf(dataBatch(0, ['a']), 4, zstdOfRuns(1 + below(1_000))),
    () => sectionOf(dataBatch(0, ['a']), 3, lz4OfBlocks(1 + below(100))),
    () => sectionOf(dataBatch(0, ['a']), 2, snappyOf(below(2 ** 31))),
    () => sectionOf(dataBatch(0, ['a']), 1, gzipSync(Buffer.alloc(1 + below(32 * MIB)))),
    () => {
      const { codec, bytes } = compress(pick(['gzip', 'snappy', 'lz4', 'zstd']), Buffer.from(largeText(chance)));
      return sectionOf(dataBatch(0, ['a']), codec, bytes);
    },
  ];
  const bytes = pick(bombs)();
  return orRefused(async () => {
    const range = rangeOf([bytes]);
    // A poll gives its turn back after each of these.
    while (range.take()) await nextTurn();
  });
};

export const subjects: Readonly<Record<string, Subject>> = {
  ...Object.fromEntries(Object.entries(operators).map(([name, operator]) => [name, through(operator)])),
  detectLanguage: language,
  ...Object.fromEntries(Object.keys(formats).map((name) => [`payload: ${name}`, payload(name)])),
  body,
  file,
  batch,
};

/** Gives each subject so many inputs. Throws where one costs more than it may; says the dearest turn of each, in ms of CPU. */
export async function fuzzLarge(
  count: number,
  seed: number,
  allowed: CostLimits = limits,
): Promise<Readonly<Record<string, number>>> {
  const dearest: Record<string, number> = {};
  for (const [name, subject] of Object.entries(subjects)) {
    const chance = chanceOf(seed);
    for (let done = 0; done < count; done++) {
      const work = await subject(chance);
      const turnMs = await withinLimits(`${name}, input ${done} of seed ${seed}`, allowed, work);
      dearest[name] = Math.max(dearest[name] ?? 0, Math.round(turnMs));
    }
  }
  return dearest;
}
