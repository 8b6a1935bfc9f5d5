import { topicNameProblems } from '../../../connectors/kafka/topic-name.js';
import { MillraceError } from '../../core/errors.js';

// Where events come from and where results go, as one writes them on a command line: `KIND`, `KIND:NAME`, or what stands for itself.

const originKinds = ['sample', 'kafka', 'file', 'http', 'redis'] as const;
export type OriginKind = (typeof originKinds)[number];

export const targetKinds = ['kafka', 'clickhouse', 'redis', 'file', 'postgres', 'webhook'] as const;
export type TargetKind = (typeof targetKinds)[number];

export interface Place<K extends string> {
  readonly kind: K;
  /** A topic, path, port, table, folder or URL; a default takes its place where it is empty. */
  readonly name: string;
}

/** @example parseOrigin('data/orders.csv'); // { kind: 'file', name: 'data/orders.csv' } */
export const parseOrigin = (text: string, flag = '--from'): Place<OriginKind> =>
  isPath(text) ? { kind: 'file', name: text } : parsePlace(text, originKinds, flag, 'data/orders.csv, kafka:TOPIC');

/** @example parseTarget('https://hooks.example/orders'); // { kind: 'webhook', name: 'https://hooks.example/orders' } */
export const parseTarget = (text: string): Place<TargetKind> =>
  /^https?:/.test(text)
    ? { kind: 'webhook', name: text }
    : parsePlace(text, targetKinds, '--to', 'clickhouse, kafka:TOPIC');

const isPath = (text: string): boolean => /\.(csv|tsv|ndjson|jsonl|parquet)(\.gz|\.zst)?$/.test(text);

function parsePlace<K extends string>(text: string, kinds: readonly K[], flag: string, example: string): Place<K> {
  const [kind = '', ...rest] = text.split(':');
  const known = kinds.find((one) => one === kind);
  const name = rest.join(':');
  if (known !== undefined) {
    const problem = known === 'kafka' && name !== '' ? topicNameProblems(name)[0] : undefined;
    if (problem) throw new MillraceError('config', problem.message, { where: flag, hint: problem.hint });
    return { kind: known, name };
  }
  throw new MillraceError('config', `${flag} is "${text}"`, {
    hint: `give one of ${kinds.join(', ')}, optionally followed by :NAME, such as ${example}`,
  });
}
