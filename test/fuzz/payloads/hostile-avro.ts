import type { Chance } from '../chance.js';
import { edges, lie, strange, textBytes, zigzag } from './varint.js';

/** An Avro schema as JSON, as far as payloads are made of it. */
export type AvroJson =
  | string
  | readonly AvroJson[]
  | {
      readonly type: string;
      readonly name?: string;
      readonly fields?: readonly { readonly name: string; readonly type: AvroJson }[];
      readonly symbols?: readonly string[];
      readonly items?: AvroJson;
      readonly values?: AvroJson;
      readonly size?: number;
    };

/** One decision in so many is a wrong one: some payloads are whole, most have one or two. */
const RARELY = 80;
const NEVER = 2 ** 31;

/**
 * Payloads of a schema by a writer that knows it and sometimes lies: about lengths, counts, branches, symbols and numbers, and
 * about how deep and how often something is there. They get to where bytes spoilt by chance never come.
 */
export function hostileAvro(schema: AvroJson, chance: Chance): Buffer {
  const { below, oneIn, pick } = chance;
  const named = new Map<string, AvroJson>();
  // A bomb of depth, once in a while; otherwise whatever nests ends soon.
  const isBomb = oneIn(100);
  const rarely = isBomb ? NEVER : RARELY;
  let budget = isBomb ? 400 : 12;

  const text = () => (isBomb ? Buffer.from('a') : textBytes(chance));
  const length = (truth: number) => zigzag(oneIn(rarely) ? lie(truth, chance) : truth);
  const withLength = (bytes: Buffer) => Buffer.concat([length(bytes.length), bytes]);

  /** Items in blocks: with their sizes or without, empty ones, and counts of what never comes. */
  function blocks(item: () => Buffer): Buffer {
    const parts: Buffer[] = [];
    const goesOn = budget-- > 0;
    for (let left = goesOn ? (isBomb ? 1 : below(3)) : 0; left > 0; left--) {
      const items = Array.from({ length: isBomb ? 1 : oneIn(8) ? 20 : 1 + below(2) }, item);
      const bytes = Buffer.concat(items);
      const isSized = oneIn(3);
      parts.push(isSized ? Buffer.concat([length(-items.length), length(bytes.length)]) : length(items.length), bytes);
    }
    if (oneIn(rarely * 10)) parts.push(zigzag(pick([65_536, 65_537, 1_000_000_000, 2 ** 40])));
    return Buffer.concat([...parts, oneIn(rarely) ? Buffer.alloc(0) : zigzag(0)]);
  }

  function record({ name, fields = [] }: Exclude<AvroJson, string | readonly AvroJson[]>, type: AvroJson): Buffer {
    if (name !== undefined) named.set(name, type);
    return Buffer.concat(
      fields.flatMap((field) => {
        const bytes = of(field.type);
        return oneIn(rarely * 4) ? [] : oneIn(rarely * 4) ? [bytes, bytes] : [bytes];
      }),
    );
  }

  function of(type: AvroJson): Buffer {
    if (typeof type === 'string') return primitive(type);
    if (Array.isArray(type)) {
      const at = below(type.length);
      const index = zigzag(oneIn(rarely) ? lie(at, chance) : at);
      return Buffer.concat([index, of(type[at] as AvroJson)]);
    }
    const complex = type as Exclude<AvroJson, string | readonly AvroJson[]>;
    switch (complex.type) {
      case 'record':
        return record(complex, type);
      case 'array':
        return blocks(() => of(complex.items as AvroJson));
      case 'map':
        return blocks(() => Buffer.concat([withLength(text()), of(complex.values as AvroJson)]));
      case 'enum': {
        const count = complex.symbols?.length ?? 1;
        return zigzag(oneIn(rarely) ? lie(count, chance) : below(count));
      }
      case 'fixed':
        return Buffer.alloc(complex.size ?? 0, below(256));
      default:
        return primitive(complex.type);
    }
  }

  function primitive(name: string): Buffer {
    switch (name) {
      case 'null':
        return Buffer.alloc(0);
      case 'boolean':
        return Buffer.of(oneIn(rarely) ? below(256) : below(2));
      case 'int':
        return oneIn(rarely) ? strange(chance, zigzag) : zigzag(below(2 ** 20));
      case 'long':
        return oneIn(rarely)
          ? strange(chance, zigzag)
          : zigzag(oneIn(isBomb ? NEVER : 10) ? pick(edges) : below(2 ** 40));
      case 'float':
        return Buffer.alloc(4, below(256));
      case 'double':
        return Buffer.alloc(8, below(256));
      case 'bytes':
        return withLength(isBomb ? Buffer.of(1) : Buffer.alloc(oneIn(10) ? 40 : below(8), below(256)));
      case 'string':
        return withLength(text());
      default: {
        const known = named.get(name);
        if (known === undefined) throw new Error(`there is no type ${name}`);
        return of(known);
      }
    }
  }

  return of(schema);
}
