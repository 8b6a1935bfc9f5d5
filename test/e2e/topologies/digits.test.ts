import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { load } from '../../../scripts/data/data-set.js';
import { digits as data } from '../../../scripts/data/digits.js';
import { digits, type ScanLabel } from '../../../topologies/digits.js';
import { repository, runBuilt } from '../cli.js';
import { tablesOf } from './run.js';
import { accuracy, type Pair } from './scores.js';

const IMAGES = 1_797;
const AT_FIRST = 100;

interface Read {
  readonly id: number;
  readonly digit: number;
  readonly majority: number;
  readonly last: number;
}

it('digits are read right 94 times of 100, and a shift of the camera is learnt', async () => {
  const streams = await load(data);
  const labels = new Map((streams.labels as ScanLabel[]).map(({ id, digit }) => [id, digit]));
  const { history = [] } = await tablesOf(digits, streams);
  const read = history as Read[];
  expect(read).toHaveLength(3 * IMAGES);
  const pairs = (of: (row: Read) => number) => read.map((row): Pair<number> => [of(row), labels.get(row.id) ?? -1]);
  const model = pairs(({ digit }) => digit);
  const right = accuracy(model);
  const byMajority = accuracy(pairs((row) => row.majority));
  const byLast = accuracy(pairs((row) => row.last));
  const within = (replay: number, from: number, to: number) =>
    accuracy(model.slice(replay * IMAGES + from, replay * IMAGES + to));
  const replays = [0, 1, 2].map((replay) => [within(replay, 0, AT_FIRST), within(replay, IMAGES - 500, IMAGES)]);
  console.log(
    'accuracy of model, majority, last:',
    right,
    byMajority,
    byLast,
    'at the start and end of each replay:',
    replays,
  );
  expect(Math.max(byMajority, byLast)).toBeLessThan(0.12);
  expect(right).toBeGreaterThan(0.94);
  for (const [atFirst = 0, atLast = 0] of replays) {
    expect(atFirst, 'the drift is seen').toBeLessThan(0.9);
    expect(atLast, 'and learnt').toBeGreaterThan(0.94);
  }
});

it('digits are read alike when the process is killed, by the commands of the guide', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'data', '--', 'digits'], { cwd: repository });
  const [, args = ''] = /npx millrace (verify .*)/s.exec(stdout) ?? [];
  const words = args.replaceAll('\\\n', ' ').replace('--kills 20', '--kills 2').trim().split(/\s+/);
  const report = JSON.parse(await runBuilt([...words, '--json', '--minutes', '0.1']));
  expect(report).toMatchObject({ right: true, kills: 2 });
});
