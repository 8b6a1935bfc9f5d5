import {
  ConfigResourceTypes,
  describeConfigsV4,
  findCoordinatorV4,
  listOffsetsV7,
  ResponseError,
} from '@platformatic/kafka';
import { getOrInsert } from '../../../src/util/maps.js';
import type { Address } from './address.js';
import type { ConnectionPool } from './connection-pool.js';

// Requests that ask about many partitions or keys, with an answer or an error for each.

/** A partition, and the epoch of its leader. */
export interface OffsetQuestion {
  readonly name: string;
  readonly partition: number;
  readonly epoch: number;
}

/** The offsets at a time, or at the start or the end, of partitions that a broker leads. A partition may be asked for several times. */
export async function listOffsets(
  connections: ConnectionPool,
  leader: Address,
  isolation: number,
  timestamp: bigint,
  questions: readonly OffsetQuestion[],
): Promise<readonly (number | Error)[]> {
  const epochs = new Map<string, Map<number, number>>();
  for (const { name, partition, epoch } of questions)
    getOrInsert(epochs, name, () => new Map<number, number>()).set(partition, epoch);
  const asked = [...epochs].map(([name, each]) => ({
    name,
    partitions: [...each].map(([partitionIndex, currentLeaderEpoch]) => ({
      ...{ partitionIndex, currentLeaderEpoch, timestamp },
    })),
  }));
  const { topics } = await connections
    .request(leader, listOffsetsV7.api, -1, isolation, asked)
    .catch(answerIn<listOffsetsV7.ListOffsetsResponse>);
  const answers = new Map(topics.map(({ name, partitions }) => [name, byIndex(partitions)]));
  return questions.map(({ name, partition }) => {
    const answer = answers.get(name)?.get(partition);
    if (answer === undefined) return new Error(`the broker says nothing of ${name}/${partition}`);
    return answer.errorCode === 0 ? Number(answer.offset) : refusal(listOffsetsV7.api, answer.errorCode);
  });
}

/** The coordinators of groups or transactional ids; `undefined` for one that the broker does not name. */
export async function findCoordinators(
  connections: ConnectionPool,
  broker: Address,
  of: 'group' | 'transaction',
  keys: readonly string[],
): Promise<readonly (Address | Error | undefined)[]> {
  const { coordinators } = await connections
    .request(broker, findCoordinatorV4.api, of === 'group' ? 0 : 1, [...new Set(keys)])
    .catch(answerIn<findCoordinatorV4.FindCoordinatorResponse>);
  const found = new Map(coordinators.map((each) => [each.key, each]));
  return keys.map((key) => {
    const each = found.get(key);
    if (each === undefined) return undefined;
    const { errorCode, errorMessage, host, port } = each;
    return errorCode === 0 ? { host, port } : refusal(findCoordinatorV4.api, errorCode, errorMessage);
  });
}

/** Settings of a topic, by their names. */
export interface SettingsQuestion {
  readonly topic: string;
  readonly names: readonly string[];
}

/** The effective values of settings of topics, without those that the broker does not know. */
export async function describeTopics(
  connections: ConnectionPool,
  broker: Address,
  questions: readonly SettingsQuestion[],
): Promise<readonly (Map<string, string> | Error)[]> {
  const keys = new Map<string, Set<string>>();
  for (const { topic, names } of questions) {
    const ofTopic = getOrInsert(keys, topic, () => new Set<string>());
    for (const name of names) ofTopic.add(name);
  }
  const asked = [...keys].map(([resourceName, names]) => ({
    ...{ resourceType: ConfigResourceTypes.TOPIC, resourceName, configurationKeys: [...names] },
  }));
  const { results } = await connections
    .request(broker, describeConfigsV4.api, asked, false, false)
    .catch(answerIn<describeConfigsV4.DescribeConfigsResponse>);
  const answers = new Map(results.map((each) => [each.resourceName, each]));
  return questions.map(({ topic, names }) => {
    const answer = answers.get(topic);
    return answer && answer.errorCode !== 0
      ? refusal(describeConfigsV4.api, answer.errorCode, answer.errorMessage)
      : settingsIn(answer, names);
  });
}

/** The values of these settings in an answer. */
export function settingsIn(
  answer: Pick<describeConfigsV4.DescribeConfigsResponseResult, 'configs'> | undefined,
  names: readonly string[],
): Map<string, string> {
  return new Map(
    (answer?.configs ?? []).flatMap(({ name, value }) =>
      names.includes(name) && value !== null && value !== undefined ? [[name, value] as const] : [],
    ),
  );
}

/** The client throws if any part of an answer has an error code, and attaches the answer. */
export function answerIn<Answer>(error: unknown): Answer {
  const { response } = error as { response?: Answer };
  if (response) return response;
  throw error;
}

const byIndex = <P extends { readonly partitionIndex: number }>(partitions: readonly P[]): ReadonlyMap<number, P> =>
  new Map(partitions.map((each) => [each.partitionIndex, each]));

/** What the client would throw for this part alone. */
export const refusal = (
  { key, version }: { readonly key: number; readonly version: number },
  errorCode: number,
  message: string | null = null,
): Error => new ResponseError(key, version, { '/': [errorCode, message] }, undefined);
