import {
  MultipleErrors,
  NetworkError,
  ProtocolError,
  protocolErrorsCodesById,
  TimeoutError,
} from '@platformatic/kafka';
import { type ErrorCode, type ErrorDetails, MillraceError, messageOf } from '../../../src/core/errors.js';

/** Kafka's error codes that this connector handles: https://kafka.apache.org/protocol#protocol_error_codes */
export const code = {
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  replicaNotAvailable: 9,
  messageTooLarge: 10,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopicException: 17,
  recordListTooLarge: 18,
  illegalGeneration: 22,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  unsupportedSaslMechanism: 33,
  illegalSaslState: 34,
  topicAlreadyExists: 36,
  invalidPartitions: 37,
  outOfOrderSequence: 45,
  invalidProducerEpoch: 47,
  concurrentTransactions: 51,
  kafkaStorageError: 56,
  saslAuthenticationFailed: 58,
  nonEmptyGroup: 68,
  groupIdNotFound: 69,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  memberIdRequired: 79,
  unstableOffsetCommit: 88,
  producerFenced: 90,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
} as const;

/** The error codes in a broker's answer; none if it did not answer. */
export function codesOf(error: unknown): readonly number[] {
  if (error instanceof ProtocolError) return [Number(error.apiCode)];
  if (error instanceof MultipleErrors) return error.errors.flatMap(codesOf);
  return error instanceof MillraceError ? codesOf(error.cause) : [];
}

export const hasCode = (error: unknown, ...codes: readonly number[]): boolean =>
  codesOf(error).some((each) => codes.includes(each));

/** The connection failed, or the broker did not answer in time: the result of the request is unknown. */
export function isLost(error: unknown): boolean {
  if (error instanceof NetworkError || error instanceof TimeoutError) return true;
  return error instanceof MultipleErrors && error.errors.length > 0 && error.errors.every(isLost);
}

/** Another broker is or will be the leader, or replicas are missing: retry with new metadata. */
export const isMoved = (error: unknown): boolean =>
  hasCode(
    error,
    code.leaderNotAvailable,
    code.notLeaderOrFollower,
    code.replicaNotAvailable,
    code.notEnoughReplicas,
    code.notEnoughReplicasAfterAppend,
    code.requestTimedOut,
    code.kafkaStorageError,
    code.fencedLeaderEpoch,
    code.unknownLeaderEpoch,
    code.offsetNotAvailable,
  );

/** The coordinator is moving, loading, or still ending the previous transaction: retry. */
export const isBusy = (error: unknown): boolean =>
  hasCode(
    error,
    code.concurrentTransactions,
    code.coordinatorLoadInProgress,
    code.coordinatorNotAvailable,
    code.notCoordinator,
    code.unstableOffsetCommit,
  );

/** Converts the client's error to a `MillraceError`, with the names of the broker's codes and a matching hint. */
export function brokerError(as: ErrorCode, message: string, cause: unknown, details: ErrorDetails = {}): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const codes = [...new Set(codesOf(cause))];
  const reasons = codes.length > 0 ? [...codes.map(nameOf), ...detailsOf(cause)] : [messageOf(cause)];
  const hint = hints[codes[0] ?? -1] ?? (isLost(cause) ? unreachable : undefined);
  return new MillraceError(as, `${message}: ${reasons.join(', ')}`, {
    ...(hint === undefined ? {} : { hint }),
    permanent: codes.some((each) => permanent.has(each)),
    ...details,
    cause,
  });
}

/** The broker's messages beside its codes. */
function detailsOf(error: unknown): string[] {
  if (error instanceof MultipleErrors) return [...new Set(error.errors.flatMap(detailsOf))];
  return error instanceof ProtocolError && error.serverErrorMessage ? [String(error.serverErrorMessage)] : [];
}

const nameOf = (each: number): string =>
  (protocolErrorsCodesById as Readonly<Record<number, string>>)[each] ?? `code ${each}`;

export const unreachable = 'is Kafka running there? `npm run stack` starts one on this machine';

const hints: Readonly<Record<number, string>> = {
  [code.unknownTopicOrPartition]: 'create the topic first, or correct its name',
  [code.messageTooLarge]: "one record is larger than the topic takes: raise its 'max.message.bytes'",
  [code.invalidTopicException]:
    'names have 1 to 249 letters, digits, dots, underscores and hyphens, such as payments.v1',
  [code.recordListTooLarge]: "one record is larger than the topic's segments: raise its 'segment.bytes'",
  [code.unknownTopicId]: 'the topic was deleted or re-created while it was read: start again',
  23: 'another kind of consumer uses the group: give it, or this cluster prefix, another name',
  26: "the broker takes other session timeouts: see its 'group.min.session.timeout.ms' and 'group.max.session.timeout.ms'",
  [code.topicAuthorizationFailed]: "grant the user 'Read' or 'Write' on the topic",
  [code.groupAuthorizationFailed]: "grant the user 'Read' on the group",
  32: "timestamps are too far from the broker's clock: is the clock of this machine right? See 'message.timestamp.before.max.ms' and 'message.timestamp.after.max.ms' of the topic",
  50: "the transaction timeout exceeds the broker's 'transaction.max.timeout.ms'",
  53: "grant the user 'Write' on the transactional id",
};

/** Sizes, settings and rights: errors that stay until somebody changes them. */
const permanent: ReadonlySet<number> = new Set([
  code.messageTooLarge,
  code.recordListTooLarge,
  code.invalidTopicException,
  23,
  26,
  code.topicAuthorizationFailed,
  code.groupAuthorizationFailed,
  32,
  50,
  53,
  87,
]);
