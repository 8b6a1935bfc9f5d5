import { MillraceError } from '../../../src/core/errors.js';
import { isAfter, NO_ID } from './entry.js';

/** The state of a stream, from `XINFO STREAM`. */
export interface StreamState {
  /** The number of entries ever added, and of those that exist. */
  readonly added: number;
  readonly length: number;
  /** The ids of the oldest entry that exists and of the newest entry ever added. */
  readonly firstId: string | undefined;
  readonly lastId: string;
  /** The greatest id of entries that were deleted one by one; trimming does not count. */
  readonly deletedId: string;
}

const EMPTY: StreamState = { added: 0, length: 0, firstId: undefined, lastId: NO_ID, deletedId: NO_ID };

/**
 * Parses the answer to `XINFO STREAM`; a stream that does not exist is empty.
 *
 * @throws MillraceError `config` if the server is too old to report the counts.
 */
export function stateOf(answer: unknown, stream: string): StreamState {
  if (answer instanceof Error) {
    if (/no such key/i.test(answer.message)) return EMPTY;
    throw answer;
  }
  const pairs = answer as readonly unknown[];
  const at = (name: string): unknown => pairs[pairs.indexOf(name) + 1];
  if (!pairs.includes('entries-added')) {
    throw new MillraceError('config', `the server of the stream ${stream} does not count added entries`, {
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
 * Whether entries after an id may have been deleted: then the entries after them cannot be counted. Redis computes the `lag` of a
 * group by the same rule.
 */
export const hasHoles = ({ firstId, deletedId }: StreamState, after: string): boolean =>
  firstId !== undefined && isAfter(deletedId, firstId) && isAfter(deletedId, after);
