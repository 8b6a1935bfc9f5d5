import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { WorkerOptions } from './worker.js';
import { Workers } from './workers.js';

export interface Verdict {
  /** How many of what; of Redis and ClickHouse only where they were written to. */
  readonly compared: { readonly records: number; readonly predictions: number; readonly buckets: number } & Readonly<
    Record<string, number>
  >;
  /** Every one of them must be 0. */
  readonly wrong: Readonly<Record<string, number>>;
}

const run = promisify(execFile);

/** The database of Postgres for the run to compare with. */
export const REFERENCE_DATABASE = 'reference';

/** For reading a whole log once. */
const PATIENCE_MS = 420_000;

/**
 * What an independent reader finds, compared with the inputs and with a run of the same log that nobody disturbed: one
 * process, one pass, outputs and state of its own.
 *
 * Before that the disturbed run is brought to its end: a task with two inputs waits at the end of one for what may still
 * come in the other, until it is told that nothing will.
 */
export async function verdict(options: WorkerOptions): Promise<Verdict> {
  const { topics, stores } = options;
  // Another name has other topics between sub-topologies, too.
  const reference = { ...options, name: 'reference' };
  const scored = `${topics.scored}.reference`;
  await toEnd(options);
  // In databases of its own: a task without a checkpoint does not open beside the fences of the first run.
  const apart = stores && {
    hashes: `${stores.hashes}.reference`,
    table: `${stores.table}_reference`,
    onceTable: `${stores.onceTable}_reference`,
    more: stores.more && { ...stores.more, folder: `${stores.more.folder}-reference` },
    redis: `${stores.redis}/1`,
    postgres: stores.postgres?.replace(/postgres$/, REFERENCE_DATABASE),
  };
  await toEnd({
    ...reference,
    topics: { ...topics, scored, windows: topics.windows && `${topics.windows}.reference` },
    ...(stores && apart ? { stores: { ...stores, ...apart } } : {}),
  });
  const names = {
    clicks: topics.clicks,
    scored: topics.scored,
    dead: `${topics.scored}.dead`,
    windows: topics.windows,
    changelog: `${options.prefix}.clicks.changelog`,
    reference: scored,
    referenceChangelog: `${options.prefix}.${reference.name}.changelog`,
    ...(stores ? { stores } : {}),
  };
  return check(options.brokers, names);
}

/** What the independent reader is told to look at. */
export interface Checked {
  readonly clicks: string;
  readonly scored: string;
  readonly dead: string;
  readonly windows?: string | undefined;
  readonly changelog?: string;
  /** Output and changelog of the run that nobody disturbed; the weights are not compared without them. */
  readonly reference?: string;
  readonly referenceChangelog?: string;
  readonly stores?: WorkerOptions['stores'];
}

/** Asks the independent reader. */
export async function check(brokers: readonly string[], names: Checked): Promise<Verdict> {
  const script = fileURLToPath(new URL('check.py', import.meta.url));
  const python = process.env.MILLRACE_PYTHON ?? 'python3';
  const { stdout, stderr } = await run(python, [script, brokers.join(','), JSON.stringify(names)]);
  process.stderr.write(stderr);
  return JSON.parse(stdout) as Verdict;
}

async function toEnd(options: WorkerOptions): Promise<void> {
  const workers = new Workers({ ...options, alone: true });
  const worker = workers.start();
  const tooLate = setTimeout(() => worker.signal('SIGKILL'), PATIENCE_MS);
  const code = await worker.ended;
  clearTimeout(tooLate);
  if (code !== 0) throw new Error(`a run alone failed: ${worker.errors} ${workers.warnings.at(-1) ?? ''}`);
}
