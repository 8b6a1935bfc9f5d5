import { type LogRecord, letterOf, placeOf } from './records.js';

/** What became of the records of one topic. */
export interface Account {
  readonly read: number;
  readonly accepted: number;
  readonly deadLetters: number;
  readonly deadLettersByReason: Readonly<Record<string, number>>;
  readonly duplicates: number;
  readonly tombstones: number;
  /** Records that went nowhere, or to two places; with what was found, for the message of a failing test. */
  readonly unexplained: readonly string[];
}

export interface Evidence {
  readonly topic: string;
  readonly log: readonly LogRecord[];
  /** All letters of the topology. */
  readonly letters: readonly LogRecord[];
  /** Places, as `placeOf` writes them, of the records that came out at the other end; one entry for each time. */
  readonly accepted: readonly string[];
  /** What makes two records the same one; `undefined` for one that cannot be read. */
  readonly idOf: (value: Buffer) => string | number | undefined;
}

/**
 * Finds every record of a topic again, once: among what came out, among the dead letters, as a tombstone, or as a
 * duplicate, which is a record whose id an earlier one of its partition had. Knows nothing of the engine's own counters.
 */
export function accountFor({ topic, log, letters, accepted, idOf }: Evidence): Account {
  const out = countedBy(accepted, (place) => place);
  const dead = new Map<string, string[]>();
  for (const letter of letters) {
    const { place, reason } = letterOf(letter);
    dead.set(place, [...(dead.get(place) ?? []), reason]);
  }
  const deadLettersByReason: Record<string, number> = {};
  const seen = new Set<string>();
  const unexplained: string[] = [];
  let [tombstones, duplicates, acceptedCount, deadLetters] = [0, 0, 0, 0];

  for (const { partition, offset, value } of log) {
    const place = placeOf(topic, partition, offset);
    const times = out.get(place) ?? 0;
    const reasons = dead.get(place) ?? [];
    const id = value === null ? undefined : readable(value, idOf);
    const repeated = id !== undefined && seen.has(`${partition}/${id}`);
    const ways = times + reasons.length;
    if (ways > 1 || (ways > 0 && value === null)) unexplained.push(`${place}: ${times} times out, dead ${reasons}`);
    else if (value === null) tombstones++;
    else if (times === 1) acceptedCount++;
    else if (reasons[0]) {
      deadLetters++;
      deadLettersByReason[reasons[0]] = (deadLettersByReason[reasons[0]] ?? 0) + 1;
    } else if (repeated) duplicates++;
    else unexplained.push(`${place}: nowhere, ${value.subarray(0, 60).toString('hex')}`);
    if (id !== undefined) seen.add(`${partition}/${id}`);
  }
  const places = new Set(log.map(({ partition, offset }) => placeOf(topic, partition, offset)));
  for (const place of [...out.keys(), ...dead.keys()])
    if (place.startsWith(`${topic}/`) && !places.has(place)) unexplained.push(`${place}: no such record`);
  return {
    read: log.length,
    accepted: acceptedCount,
    deadLetters,
    deadLettersByReason,
    duplicates,
    tombstones,
    unexplained,
  };
}

function readable(value: Buffer, idOf: Evidence['idOf']): string | number | undefined {
  try {
    return idOf(value);
  } catch {
    return undefined;
  }
}

export function countedBy<T>(values: Iterable<T>, nameOf: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(nameOf(value), (counts.get(nameOf(value)) ?? 0) + 1);
  return counts;
}
