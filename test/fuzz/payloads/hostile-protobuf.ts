import type { Chance } from '../chance.js';
import { edges, lie, strange, textBytes, varint } from './varint.js';

/** A field as payloads are made of it: its number, and what lies behind it. */
export interface HostileField {
  readonly id: number;
  readonly holds: 'varint' | 'fixed64' | 'fixed32' | 'text' | 'bytes' | 'packed' | HostileMessage;
}
/** A function, since messages may hold themselves. */
export type HostileMessage = () => readonly HostileField[];

const RARELY = 40;
const NEVER = 2 ** 31;
const wireTypes = { varint: 0, fixed64: 1, text: 2, bytes: 2, packed: 2, fixed32: 5 } as const;

/**
 * Fields in any order and number, known and unknown, by a writer that sometimes lies: about lengths, wire types, tags and
 * numbers; groups that nest and never end; packed numbers by the thousand; messages in messages.
 */
export function hostileProtobuf(message: HostileMessage, chance: Chance): Buffer {
  const { below, oneIn, pick } = chance;
  const isBomb = oneIn(100);
  const rarely = isBomb ? NEVER : RARELY;
  let budget = isBomb ? 300 : 12;

  const tag = (id: number, wireType: number) => varint(BigInt(id) * 8n + BigInt(wireType));
  const withLength = (bytes: Buffer) =>
    Buffer.concat([varint(oneIn(rarely) ? lie(bytes.length, chance) : bytes.length), bytes]);
  const number = () => (oneIn(rarely) ? strange(chance, varint) : varint(oneIn(8) ? pick(edges) : below(2 ** 20)));

  const group = (id: number): Buffer => {
    const inner = budget-- > 0 && oneIn(2) ? group(id) : Buffer.concat([tag(5, 0), number()]);
    return Buffer.concat([tag(id, 3), inner, oneIn(rarely) ? Buffer.alloc(0) : tag(oneIn(rarely) ? id + 1 : id, 4)]);
  };

  const unknown = (): Buffer =>
    pick([
      () => Buffer.concat([tag(1000 + below(1000), 0), number()]),
      () => Buffer.concat([tag(1000, 2), withLength(textBytes(chance))]),
      () => Buffer.concat([tag(2 ** 29 - 1, 5), Buffer.alloc(4)]),
      () => group(1 + below(1000)),
      () => Buffer.concat([varint(pick(edges)), number()]), // any tag: 0, of more than 32 bits, of a wire type that is none
    ])();

  const value = (holds: HostileField['holds']): Buffer => {
    if (typeof holds === 'function') return withLength(of(holds));
    switch (holds) {
      case 'varint':
        return number();
      case 'fixed64':
        return Buffer.alloc(8, below(256));
      case 'fixed32':
        return Buffer.alloc(4, below(256));
      case 'packed':
        return withLength(Buffer.concat(Array.from({ length: oneIn(50) ? 2_000 : below(5) }, number)));
      default:
        return withLength(textBytes(chance));
    }
  };

  function of(fields: HostileMessage): Buffer {
    if (budget-- <= 0) return Buffer.alloc(0);
    const known = fields();
    return Buffer.concat(
      Array.from({ length: isBomb ? 1 : 1 + below(4) }, () => {
        if (oneIn(rarely)) return unknown();
        const messages = known.filter((field) => typeof field.holds === 'function');
        const { id, holds } = pick(isBomb && messages.length > 0 ? messages : known);
        const wireType = typeof holds === 'function' ? 2 : wireTypes[holds];
        return Buffer.concat([tag(id, oneIn(rarely) ? below(8) : wireType), value(holds)]);
      }),
    );
  }

  return of(message);
}
