import { hash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The two runs of a verification: one that nobody disturbs, and one whose processes are killed. */
export type Run = 'reference' | 'faulted';

/** What of a topic is read: by partition, the first offset and the one behind the last. */
export interface Slice {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** What both runs have in common, as plain data: their processes get it on the command line. */
export interface Verification {
  readonly id: string;
  /** Topics to read in the place of a source's own, by source. */
  readonly inputs: Readonly<Record<string, string>>;
  /** By topic that is read. */
  readonly slices: Readonly<Record<string, Slice>>;
  /** Partitions of the topics that sinks write to outside of the verification, where they exist. */
  readonly partitions: Readonly<Record<string, number>>;
}

export const newVerificationId = (): string => `verify-${randomBytes(4).toString('hex')}`;

/** What one run of a verification calls its own: nothing outside begins like that. */
export interface VerificationNames {
  readonly topology: string;
  topic(topic: string): string;
  table(table: string): string;
  /** In front of all keys in Redis. */
  readonly keys: string;
  /** Of Postgres, in the schema of the original; each task's own ends in its number. */
  rows(table: string): string;
  /** In the folder for temporary files. */
  folder(step: string): string;
  /** In the bucket of the original. */
  objects(original: string, step: string): string;
}

/** Postgres cuts longer names: a verification's begin with 26 letters, and end in the number of a task. */
const ROWS_NAME_MAX = 30;

/** Where the folders of both runs are. */
export const foldersOf = (id: string): string => join(tmpdir(), `millrace-${id}`);

/** The same in a bucket. */
export const objectsOf = (id: string, original: string): string => `${original.split('/')[0]}/${id}`;

export function namesOf(id: string, run: Run): VerificationNames {
  const table = (name: string) => `${id.replaceAll('-', '_')}_${run}_${name}`;
  return {
    topology: `${id}.${run}`,
    topic: (topic) => `${id}.${run}.${topic}`,
    table,
    keys: `${id}:${run}:`,
    rows(original) {
      const [name = '', ...schema] = original.split('.').reverse();
      const short = name.length > ROWS_NAME_MAX ? `${name.slice(0, 21)}_${hash('sha1', name).slice(0, 8)}` : name;
      return [...schema.reverse(), table(short)].join('.');
    },
    folder: (step) => join(foldersOf(id), run, step),
    objects: (original, step) => `${objectsOf(id, original)}/${run}/${step}`,
  };
}

/** Records of all slices. */
export const recordsOf = ({ slices }: Pick<Verification, 'slices'>): number =>
  Object.values(slices)
    .flatMap(({ from, to }) => to.map((end, partition) => Math.max(0, end - (from[partition] ?? 0))))
    .reduce((sum, records) => sum + records, 0);
