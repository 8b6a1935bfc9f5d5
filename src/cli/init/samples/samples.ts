import type { Declaration } from '../../../schema/typescript/index.js';
import type { Row } from './fields.js';

const START_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 10 * 60_000;
/** Texts and numbers repeat, so that keys have several records; with primes, so that all pairs of them come. */
const TEXTS = 7;
const NUMBERS = 97;

interface Wanted {
  readonly count: number;
  /** The field that tells rows apart. */
  readonly identity?: string;
  readonly time?: string;
  /** Whether that time counts microseconds. */
  readonly micros?: boolean;
}

/**
 * Made-up values of a type, the same each time: one every ten minutes, whole numbers and texts that come again, ids and times that do
 * not. What is true or not depends on the numbers, so there is something to learn. Of what may be missing there is one thing at a
 * time: that suits alternatives.
 *
 * @param declared the type first, then those that it is made of
 */
export function sampleRows(declared: readonly Declaration[], { count, identity, time, micros = false }: Wanted): Row[] {
  const record = declared.find((one) => 'members' in one);
  const types = new Map(declared.map((one) => [one.name, one]));
  const synthetic = (type: string, name: string, n: number, depth: number): unknown => {
    const bare = type.split(' | ')[0] ?? type;
    const [, text] = /^'(.*)'$/.exec(bare) ?? [];
    if (text !== undefined) {
      const choices = [...type.matchAll(/'([^']*)'/g)].map(([, choice]) => choice);
      return choices[n % choices.length];
    }
    const isTime = depth === 0 && name === time;
    const atMs = START_MS + n * STEP_MS;
    switch (bare) {
      case 'string':
        if (isTime) return new Date(atMs).toISOString();
        return depth === 0 && name === identity ? `${name}-${n + 1}` : `${name}-${(n % TEXTS) + 1}`;
      case 'number':
        if (isTime) return micros ? atMs * 1_000 : atMs;
        return depth === 0 && name === identity ? n + 1 : (n * 31) % NUMBERS;
      case 'bigint':
        return BigInt(n + 1);
      case 'boolean':
        return (n * 31) % NUMBERS > NUMBERS / 2;
      case 'Date':
        return new Date(atMs);
      case 'Decimal':
        return '1.00';
      case 'Uint8Array':
        return new Uint8Array([n % 256]);
      case 'null':
      case 'unknown':
        return null;
    }
    if (/^readonly |\[\]$/.test(bare)) return [];
    const named = types.get(bare);
    if (named === undefined || depth > 4) return {};
    return 'type' in named ? synthetic(named.type, name, n, depth) : rowOf(named, n, depth + 1);
  };
  const rowOf = (one: Declaration, n: number, depth: number): Row => {
    if (!('members' in one)) return {};
    const always = depth === 0 ? [identity, time] : [];
    const optional = one.members.filter(({ name, type }) => / \| null$/.test(type) && !always.includes(name));
    return Object.fromEntries(
      one.members.map((member) => {
        const { name, type } = member;
        const at = optional.indexOf(member);
        return [name, at < 0 || n % optional.length === at ? synthetic(type, name, n, depth) : null];
      }),
    );
  };
  return record === undefined ? [] : Array.from({ length: count }, (_, n) => rowOf(record, n, 0));
}
