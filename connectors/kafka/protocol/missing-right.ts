import {
  type addPartitionsToTxnV3,
  MultipleErrors,
  type ProtocolError,
  type txnOffsetCommitV4,
} from '@platformatic/kafka';
import type { Problem } from '../../../src/core/options.js';
import { code, hasCode } from './broker-error.js';

type Response = Partial<
  addPartitionsToTxnV3.AddPartitionsToTxnResponse & Pick<txnOffsetCommitV4.TxnOffsetCommitResponse, 'topics'>
>;

/**
 * The right that a user lacks, where a broker refuses a request of a transaction. Who commits offsets in one must be allowed to
 * read the group and the topics that were read, beside writing under the transactional id.
 */
export function missingRight(error: unknown, group: string): Problem | undefined {
  const written = topicsNotWritten(error);
  if (written.length > 0)
    return { message: `this user may not write to ${written.join(', ')}`, hint: "grant the user 'Write' on the topic" };
  const read = topicsNotRead(error);
  if (read.length > 0) {
    const message = `this user may not commit offsets of ${read.join(', ')}`;
    return { message, hint: "grant the user 'Read' on the topic" };
  }
  if (!hasCode(error, code.groupAuthorizationFailed)) return undefined;
  return {
    message: `this user may not commit offsets of group '${group}'`,
    hint: "grant the user 'Read' on the group",
  };
}

/** Topics to which records were to be written, in quotes: of answers to what is produced, and to partitions that are added. */
function topicsNotWritten(error: unknown): readonly string[] {
  if (!(error instanceof MultipleErrors)) return [];
  const denied = error.errors.filter((each) => hasCode(each, code.topicAuthorizationFailed));
  // Answers to what is produced have `/topic/partition` as paths.
  const produced = denied.map((each) => /^\/([^/]+)\/\d+$/.exec(String((each as ProtocolError).path))?.[1]);
  const added = (responseOf(error).resultsByTransaction ?? [])
    .flatMap(({ topicResults }) => topicResults)
    .filter((topic) => topic.resultsByPartition.some((each) => isDenied(each.partitionErrorCode)))
    .map(({ name }) => name);
  return quoted([...produced, ...added]);
}

/** Topics whose offsets were to be committed, in quotes. */
function topicsNotRead(error: unknown): readonly string[] {
  const topics = responseOf(error).topics ?? [];
  return quoted(
    topics.filter(({ partitions }) => partitions.some((each) => isDenied(each.errorCode))).map(({ name }) => name),
  );
}

const responseOf = (error: unknown): Response => (error as { readonly response?: Response }).response ?? {};
const isDenied = (each: number): boolean => each === code.topicAuthorizationFailed;
const quoted = (topics: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(topics)].filter((topic) => topic !== undefined).map((topic) => `'${topic}'`);
