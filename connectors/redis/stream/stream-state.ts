import { MillraceError } from '../../../src/core/errors.js';
import { isAfter, NO_ID } from './entry.js';

/** A stream as `XINFO STREAM` tells of it. */
export interface StreamState {
  /** Entries that were ever added, and those that are there. */
  readonly added: number;
  readonly length: number;
  /** Id of the oldest entry that is there, and of the newest one that ever was. */
  readonly firstId: string | undefined;
  readonly lastId: string;
  /** The greatest id of those that were deleted one by one; trimming is not counted. */
  readonly deletedId: string;
}

const EMPTY: StreamState = { added: 0, length: 0, firstId: undefined, lastId: NO_ID, deletedId: NO_ID };

/**
 * Reads the answer to `XINFO STREAM`; a stream that is not there yet is empty.
 *
 * @throws MillraceError `config` where the server is too old to count.
 */
export function stateOf(answer: unknown, stream: string): StreamState {
  if (answer instanceof Error) {
    if (/no such key/i.test(answer.message)) return EMPTY;
    throw answer;
  }
  const pairs = answer as readonly unknown[];
  const at = (name: string): unknown => pairs[pairs.indexOf(name) + 1];
  if (!pairs.includes('entries-added')) {
    throw new MillraceError('config', `the server of the stream ${stream} does not count what is added`, {
      where: stream,
      hint: 'streams are read from Redis 7 or newer',
      permanent: true,
    });
  }
  const first = at('first-entry') as readonly [id: string] | null;
  return {
    added: Number(at('entries-added')),
    length: Number(at('length')),
    firstId: first?.[0],
    lastId: String(at('last-generated-id')),
    deletedId: String(at('max-deleted-entry-id')),
  };
}

/**
 * Whether entries may be missing in the middle of what lies behind an id: those behind them can then not be counted. Redis's own
 * `lag` of a group is judged the same way.
 */
export const hasHoles = ({ firstId, deletedId }: StreamState, after: string): boolean =>
  firstId !== undefined && isAfter(deletedId, firstId) && isAfter(deletedId, after);
