import { type ArrivedValue, type DepartedValue, encoded } from './records.js';

// Payloads that a broken or hostile producer might send, from a seeded generator: most are spoilt copies of good ones,
// since bytes by mere chance never get past the header.

export interface Payload {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number;
}

export interface Payloads {
  departed(): Payload;
  arrived(): Payload;
  json(): Payload;
}

const START_MS = Date.UTC(2001, 0, 1);
const airports = ['ATL', 'ORD', 'DFW', 'LAX', 'PHX', 'DEN', 'MSP', 'DTW', 'STL', 'IAH'];
const longMax = 2 ** 52 - 1;
const absurdTimes = [
  0,
  -1,
  1,
  longMax,
  -longMax,
  8.64e15,
  Date.UTC(1970, 0, 1),
  Date.UTC(2100, 0, 1),
  Date.UTC(1600, 0, 1),
];
const absurdInts = [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 65_535, -65_536];
const absurdIds = [0, -1, -2, longMax, -longMax, 2 ** 31, 2 ** 32, 2 ** 32 + 1, -(2 ** 31)];
const absurdDoubles = [
  0,
  -0,
  Number.NaN,
  Infinity,
  -Infinity,
  1e308,
  -1e308,
  5e-324,
  1e-300,
  12_000,
  12_000.000_001,
  0.999_999,
];
const absurdTexts = [
  '',
  ' ',
  '\0',
  'a'.repeat(5_000),
  '💺✈️',
  '\u202eLTA',
  '__proto__',
  'constructor',
  '"\\\n\t',
  'NULL',
  "'; DROP TABLE predictions; --",
];
const interestingBytes = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff];
/** Times with which no clock of the log agrees, for the record's own timestamp. */
const absurdTimestamps = [0, 1, Date.UTC(2100, 0, 1), Date.UTC(1970, 5, 1), 253_402_300_799_999];

/** @param random Uniform in [0, 1). @param ids Schema ids under which the two topics' values are written. */
export function payloads(random: () => number, ids: { readonly departed: number; readonly arrived: number }): Payloads {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)] as T;
  const chance = (share: number) => random() < share;
  let nextId = 1;
  let nowMs = START_MS;
  const tick = () => (nowMs += below(60_000));

  const key = (): Buffer | null => {
    if (chance(0.9)) return Buffer.from(pick(airports));
    return pick([null, Buffer.alloc(0), Buffer.from([0xff, 0xfe, 0x00]), Buffer.alloc(3_000, 1), Buffer.from('✈')]);
  };
  const wrap = (value: Buffer | null): Payload => ({
    key: key(),
    value,
    timestampMs: chance(0.98) ? nowMs : pick(absurdTimestamps),
  });

  const wholeDeparture = (): DepartedValue => ({
    flightId: chance(0.08) ? 1 + below(nextId) : nextId++,
    departedAt: tick(),
    utcOffsetMinutes: -300,
    origin: pick(airports),
    destination: pick(airports),
    distance: chance(0.02) ? null : 100 + below(2_500),
  });
  const wholeArrival = (): ArrivedValue => ({
    flightId: 1 + below(nextId + 5),
    arrivedAt: tick(),
    delayMinutes: below(120) - 30,
  });

  const absurdDeparture = (): DepartedValue => {
    const value = { ...wholeDeparture() } as { -readonly [K in keyof DepartedValue]: DepartedValue[K] };
    for (let times = 1 + below(3); times > 0; times--)
      switch (below(7)) {
        case 0:
          value.flightId = pick(absurdIds);
          break;
        case 1:
          value.departedAt = pick(absurdTimes);
          break;
        case 2:
          value.utcOffsetMinutes = pick(absurdInts);
          break;
        case 3:
          value.origin = chance(0.3) ? null : pick(absurdTexts);
          break;
        case 4:
          value.destination = chance(0.3) ? null : pick(absurdTexts);
          break;
        default:
          value.distance = pick(absurdDoubles);
      }
    return value;
  };
  const absurdArrival = (): ArrivedValue => ({
    flightId: chance(0.3) ? pick(absurdIds) : wholeArrival().flightId,
    arrivedAt: chance(0.4) ? pick(absurdTimes) : tick(),
    delayMinutes: chance(0.5) ? pick(absurdInts) : below(100),
  });

  /** One to four changes of bytes: flipped, cut off, put in, left out, said twice. */
  const mutated = (whole: Buffer): Buffer => {
    let bytes = Buffer.from(whole);
    for (let times = 1 + below(4); times > 0 && bytes.length > 0; times--) {
      const at = below(bytes.length);
      switch (below(6)) {
        case 0:
          bytes[at] = below(256);
          break;
        case 1:
          bytes[at] = pick(interestingBytes);
          break;
        case 2:
          bytes = bytes.subarray(0, at);
          break;
        case 3:
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(below(12), 0xff), bytes.subarray(at)]);
          break;
        case 4:
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(4))]);
          break;
        default:
          bytes = Buffer.concat([bytes, bytes.subarray(at)]);
      }
    }
    return bytes;
  };
  const chanceBytes = (length: number) => Buffer.from(Array.from({ length }, () => below(256)));

  const avro = (id: number, whole: () => Buffer, absurd: () => Buffer): Buffer | null => {
    const kind = random();
    if (kind < 0.2) return whole();
    if (kind < 0.35) return absurd();
    if (kind < 0.65) {
      const body = mutated(whole().subarray(5));
      const header = Buffer.alloc(5);
      header.writeInt32BE(id, 1);
      return Buffer.concat([header, body]);
    }
    if (kind < 0.75) return mutated(whole());
    if (kind < 0.83) return whole().subarray(0, below(20));
    if (kind < 0.88) {
      const other = Buffer.from(whole());
      // From a few thousand ids, so that a registry on the other side of a network is asked about each once.
      other.writeInt32BE(chance(0.1) ? -1 - below(1_000) : 1_900_000_000 + below(2_000), 1);
      return other;
    }
    if (kind < 0.93) return chanceBytes(below(64));
    if (kind < 0.96) return Buffer.concat([whole().subarray(0, 5), Buffer.alloc(10, 0xff), chanceBytes(8)]);
    if (kind < 0.98) return Buffer.alloc(0);
    return null;
  };

  const event = (): Readonly<Record<string, unknown>> => ({
    id: chance(0.08) ? below(nextId) : nextId++,
    at: tick(),
    n: below(100),
    tag: pick(airports),
  });
  const absurdEvent = (): unknown => {
    const values = [null, true, [], {}, '', 'x', 1e308, -1, { a: 1 }, [[1]], '1e999', Number.MAX_SAFE_INTEGER];
    if (chance(0.3)) return pick(values);
    const whole: Record<string, unknown> = { ...event() };
    whole[pick(['id', 'at', 'n', 'tag'])] = pick(values);
    if (chance(0.2)) delete whole[pick(['id', 'at', 'n', 'tag'])];
    return whole;
  };
  const oddTexts = [
    '{"id":1e999,"at":1e999}',
    '{"id":-1e999}',
    '{"id":12345678901234567890123456789012345678901234567890}',
    '{"__proto__":{"id":1},"constructor":{"prototype":{"id":2}}}',
    '\ufeff{"id":1}',
    '{"id":1,"id":2,"at":3}',
    '{',
    '"\\ud800"',
    'NaN',
    '',
    'null',
  ];
  const deep = (): string => {
    const depth = pick([200, 255, 256, 257, 300, 2_000]);
    const [open, close] = pick([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const);
    return open.repeat(depth) + (open === '[' ? '' : '1') + close.repeat(chance(0.8) ? depth : depth - 1);
  };
  const json = (): Buffer | null => {
    const kind = random();
    if (kind < 0.25) return Buffer.from(JSON.stringify(event()));
    if (kind < 0.5) return Buffer.from(JSON.stringify(absurdEvent()));
    if (kind < 0.8) return mutated(Buffer.from(JSON.stringify(event())));
    if (kind < 0.9) return Buffer.from(pick(oddTexts));
    if (kind < 0.93) return Buffer.from(deep());
    if (kind < 0.98) return chanceBytes(below(64));
    return null;
  };

  return {
    departed: () =>
      wrap(
        avro(
          ids.departed,
          () => encoded('departed', ids.departed, wholeDeparture()),
          () => encoded('departed', ids.departed, absurdDeparture()),
        ),
      ),
    arrived: () =>
      wrap(
        avro(
          ids.arrived,
          () => encoded('arrived', ids.arrived, wholeArrival()),
          () => encoded('arrived', ids.arrived, absurdArrival()),
        ),
      ),
    json: () => wrap(json()),
  };
}
