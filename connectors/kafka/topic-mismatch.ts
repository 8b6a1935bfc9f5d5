import { MillraceError } from '../../src/core/errors.js';
import type { ConfigMismatch } from '../../src/core/sink.js';
import type { Admin, TopicSettings } from './admin.js';
import type { Cluster } from './connection/cluster.js';
import type { TopicDeclaration } from './topic-options.js';

/** A topic as declared. */
export interface DeclaredTopic extends TopicDeclaration {
  readonly topic: string;
  readonly partitions?: number | undefined;
}

/** A topic as it exists. */
export interface ActualTopic {
  readonly partitions: number;
  /** The smallest number of replicas of its partitions. */
  readonly replication: number;
  /** Effective configs by name, without those that the broker does not know. */
  readonly configs: ReadonlyMap<string, string>;
}

/** Declared configs in the form of the broker. */
const configsOf = ({ configs = {} }: TopicDeclaration): TopicSettings =>
  Object.fromEntries(Object.entries(configs).map(([name, value]) => [name, String(value)]));

/** The differences between an existing topic and its declaration. What is not declared may have any value. */
export function compareTopic(declared: DeclaredTopic, actual: ActualTopic): ConfigMismatch[] {
  const { topic, partitions, replication, onMismatch = 'warn' } = declared;
  const found: ConfigMismatch[] = [];
  const add = (setting: string, wanted: string, is: string, hint: string, refused = onMismatch === 'fail') =>
    found.push({ what: `topic '${topic}'`, setting, declared: wanted, actual: is, hint, refused });

  if (partitions !== undefined && partitions !== actual.partitions) {
    const hint = 'with another number, keys would move between partitions: keep the number, or use a new topic';
    add('partitions', String(partitions), String(actual.partitions), hint, true);
  }
  if (onMismatch === 'ignore') return found;
  if (replication !== undefined && replication !== actual.replication) {
    const hint = 'change the replicas with kafka-reassign-partitions, or declare the number that the topic has';
    add('replication', String(replication), String(actual.replication), hint);
  }
  for (const [name, value] of Object.entries(configsOf(declared))) {
    const is = actual.configs.get(name);
    if (is !== undefined && same(value, is)) continue;
    const alter = `kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config '${name}=[${value}]'`;
    add(name, value, is ?? 'unknown to the broker', `${alter}; or declare what is there`);
  }
  return found;
}

/** The order of lists does not matter. */
const same = (a: string, b: string): boolean => a === b || list(a) === list(b);
const list = (text: string): string =>
  text
    .split(',')
    .map((part) => part.trim())
    .sort()
    .join(',');

/** The mismatches of a topic. A missing one has none unless `create` is false. */
export async function topicMismatches(
  cluster: Cluster,
  admin: Admin,
  declared: DeclaredTopic,
): Promise<ConfigMismatch[]> {
  const { topic, create = true } = declared;
  const found = await cluster.refresh(topic);
  if (!found) {
    const hint = 'create it, or leave `create` out to have it made at the start';
    const missing = { setting: 'topic', declared: 'there', actual: 'missing', hint, refused: true };
    return create ? [] : [{ what: `topic '${topic}'`, ...missing }];
  }
  const names = Object.keys(configsOf(declared));
  const configs = names.length === 0 ? new Map<string, string>() : await admin.settings(topic, names);
  return compareTopic(declared, { partitions: found.leaders.length, replication: found.replication, configs });
}

/**
 * Creates a missing topic, with `defaults` for what is not declared. An existing topic is not changed: `onMismatch` is called with
 * the differences, or the run is refused.
 *
 * @throws MillraceError `config` with all reasons for the refusal, or if the topic may not be created.
 */
export async function setUpTopic(
  cluster: Cluster,
  admin: Admin,
  declared: DeclaredTopic & { readonly partitionsByDefault: number },
  defaults: TopicSettings,
  onMismatch: (mismatch: ConfigMismatch) => void,
): Promise<void> {
  const { topic, partitions, partitionsByDefault, replication, create = true } = declared;
  if (!(await cluster.refresh(topic))) {
    if (!create) {
      const hint = 'create it, or leave `create` out to have it made at the start';
      throw new MillraceError('config', `topic '${topic}' does not exist`, { where: topic, hint, permanent: true });
    }
    const settings = { ...defaults, ...configsOf(declared) };
    await admin.ensureTopic(topic, partitions ?? partitionsByDefault, settings, replication);
  }
  const mismatches = await topicMismatches(cluster, admin, declared);
  const refused = mismatches.filter((each) => each.refused);
  if (refused.length > 0) throw mismatchError(topic, refused);
  for (const each of mismatches) onMismatch(each);
}

function mismatchError(topic: string, refused: readonly ConfigMismatch[]): MillraceError {
  const [first] = refused;
  const parts = refused.map(({ setting, declared, actual }) =>
    setting === 'partitions' ? `${actual} partitions, not ${declared}` : `${setting} ${actual}, not ${declared}`,
  );
  return new MillraceError('config', `topic '${topic}' has ${parts.join('; ')}`, {
    where: topic,
    ...(first ? { hint: first.hint } : {}),
    permanent: true,
  });
}
