/**
 * Keeps what a night found, and writes a page of it beside the nights before: `npx tsx benchmarks/nightly/main.ts FOUND KEPT`.
 *
 * `FOUND/steps.tsv` has a line for each step (name, `ok` or `FAILED`, seconds), `FOUND/bench.ndjson` a result of a benchmark on each line. `KEPT` gets
 * `DATE.json` and `page.md`. The page is of the newest 14 nights, and as many files are kept.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineLine } from '../machine.js';
import { type Night, pageOf, type Report } from './page.js';

const NIGHTS_MAX = 14;

const [found, kept] = process.argv.slice(2);
if (found === undefined || kept === undefined) throw new Error('usage: npx tsx benchmarks/nightly/main.ts FOUND KEPT');

const lines = (name: string): string[] => {
  const path = join(found, name);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
};
const night: Night = {
  date: new Date().toISOString().slice(0, 16),
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  machine: machineLine(),
  steps: lines('steps.tsv').map((line) => {
    const [name = '', result, seconds] = line.split('\t');
    return { name, isOk: result === 'ok', seconds: Number(seconds) };
  }),
  // A benchmark that fails may print something else.
  reports: lines('bench.ndjson').flatMap((line) => (line.startsWith('{') ? (JSON.parse(line) as Report) : [])),
};
mkdirSync(kept, { recursive: true });
writeFileSync(join(kept, `${night.date.replace(':', '')}.json`), `${JSON.stringify(night)}\n`);
const files = readdirSync(kept)
  .filter((file) => file.endsWith('.json'))
  .sort();
for (const file of files.slice(0, -NIGHTS_MAX)) rmSync(join(kept, file));
const nights = files.slice(-NIGHTS_MAX).map((file) => JSON.parse(readFileSync(join(kept, file), 'utf8')) as Night);
const page = join(kept, 'page.md');
writeFileSync(page, pageOf(nights));
process.stdout.write(`${page}\n`);
