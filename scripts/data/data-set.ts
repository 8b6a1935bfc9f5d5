import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Package, unpack } from './package.js';

/** Rows of each source of a topology, in the order of their times. */
export type Streams = Readonly<Record<string, readonly object[]>>;

/** Real data, as the streams of a topology. */
export interface DataSet {
  readonly name: string;
  /** The topologies that read it. */
  readonly topologies: readonly string[];
  /** Raise it when the streams change: those of another revision are made again. */
  readonly revision: number;
  /** What it is, who made it, under which licence. */
  readonly about: string;
  /** Where it comes from; none for what is installed already. */
  readonly from?: { readonly package: Package; readonly paths: readonly string[] };
  /** Makes the streams from the unpacked paths. */
  streams(folder: string): Promise<Streams>;
}

const cache = fileURLToPath(new URL('../../.millrace/data-sets', import.meta.url));

/** The file of a source: JSON lines. */
export const fileOf = ({ name }: DataSet, source: string): string => join(cache, name, `${source}.ndjson`);

/** What was made: written last. */
interface Made {
  readonly revision: number;
  readonly sources: readonly string[];
}

/**
 * Writes the files of a data set, unless they are there. Answers the names of the sources.
 *
 * @throws Error if the package cannot be downloaded
 * @example await prepare(digits); // .millrace/data-sets/digits/digits.ndjson, .../labels.ndjson
 */
export async function prepare(set: DataSet): Promise<readonly string[]> {
  const folder = join(cache, set.name);
  const found = await madeIn(folder);
  if (found?.revision === set.revision) return found.sources;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'making-'));
  try {
    const made = await make(set, work);
    await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'streams'), folder); // whole, or not at all
    return made.sources;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const MADE = 'made.json';

async function madeIn(folder: string): Promise<Made | undefined> {
  const file = join(folder, MADE);
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Made) : undefined;
}

async function make({ revision, from, streams }: DataSet, work: string): Promise<Made> {
  const unpacked = join(work, 'unpacked');
  const folder = join(work, 'streams');
  await Promise.all([mkdir(unpacked), mkdir(folder)]);
  if (from) await unpack(from.package, from.paths, unpacked);
  const bySource = await streams(unpacked);
  for (const [source, rows] of Object.entries(bySource))
    await writeFile(join(folder, `${source}.ndjson`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const made = { revision, sources: Object.keys(bySource) };
  await writeFile(join(folder, MADE), JSON.stringify(made));
  return made;
}

/** The streams of a data set, which is fetched if it is not there. */
export async function load(set: DataSet): Promise<Streams> {
  const streams: Record<string, object[]> = {};
  for (const source of await prepare(set)) {
    const lines = (await readFile(fileOf(set, source), 'utf8')).trimEnd().split('\n');
    streams[source] = lines.map((line) => JSON.parse(line) as object);
  }
  return streams;
}

/** Rows in the order of a time. */
export const byTime = <T>(rows: readonly T[], timeOf: (row: T) => number): T[] =>
  rows.toSorted((a, b) => timeOf(a) - timeOf(b));
