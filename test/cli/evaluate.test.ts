import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/program.js';
import { userFolder } from './millrace.js';

const rows = Array.from({ length: 400 }, (_, i) => `${i % 7},${i % 2 === 0 ? 'blue' : 'red'},${i % 7 > 3}\n`);
const { folder, remove } = userFolder({ 'rows.csv': `size,colour,large\n${rows.join('')}` });
afterAll(remove);

async function evaluate(...args: string[]) {
  const said = { out: '', err: '' };
  const terminal = {
    out: (text: string) => {
      said.out += text;
    },
    err: (text: string) => {
      said.err += text;
    },
  };
  const code = await main(['evaluate', '--data', join(folder, 'rows.csv'), ...args], terminal);
  return { code, ...said };
}
const logistic = 'pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.5 as number }) }))';

describe('millrace evaluate', () => {
  it('prints the metrics of the model and of baselines', async () => {
    const { code, out } = await evaluate('--label', 'large', '--learner', logistic);
    expect(code).toBe(0);
    expect(out).toMatch(/log_loss +roc_auc +accuracy/);
    for (const name of ['pipe(standard-scaler, logistic-regression)', 'running-rate', 'majority', 'last-class'])
      expect(out).toContain(name);
    expect(out).toMatch(/400 rows, 1 number and 1 category a row; [\d,]+ rows\/s, peak memory \d+ MiB/);
  });

  it('says which column keeps rows from being learnt', async () => {
    writeFileSync(
      join(folder, 'times.csv'),
      `at,size,large\n${rows.map((row, i) => `${1.7e12 + i},${row.replace(/,[a-z]+,/, ',')}`).join('')}`,
    );
    const { out } = await evaluate('--label', 'large', '--learner', logistic, '--data', join(folder, 'times.csv'));
    expect(out).toContain(
      '400 rows not learnt: too-large\n  hint: --columns at:skip leaves out numbers beyond 1,000,000',
    );
  });

  it('prints one JSON object, with the metrics that are asked for', async () => {
    const options = ['--columns', 'colour:skip', '--metrics', 'roc_auc,mcc', '--json'];
    const { code, out } = await evaluate('--label', 'large', '--learner', logistic, ...options);
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ rows: 400, columns: { size: 'number' }, refused: {} });
    expect(Object.keys(result.model)).toEqual(['roc_auc', 'mcc']);
    expect(result.model.mcc).toBeGreaterThan(0.8);
    expect(result.baselines.majority.mcc).toBeLessThan(0.2);
    expect(result.model.roc_auc).toBeGreaterThan(0.95);
    expect(result.rowsPerSecond).toBeGreaterThan(0);
  });

  it('shows slices, weighs rows, and plays labels at their times', async () => {
    const lines = rows.map((row, i) => `${row.trimEnd()},${1 + (i % 2)},${1_000 * i},${1_000 * i + 5_000}\n`);
    writeFileSync(join(folder, 'timed.csv'), `size,colour,large,counts,at,known\n${lines.join('')}`);
    const options = ['--data', join(folder, 'timed.csv'), '--slice', 'colour', '--weight', 'counts'];
    const times = ['--time', 'at', '--label-time', 'known'];
    const { code, out } = await evaluate('--label', 'large', '--learner', logistic, ...options, ...times);
    expect(code).toBe(0);
    expect(out).toMatch(/colour=blue .* 200\ncolour=red .* 200\n/);
    expect(out).toContain('5 rows at most waited for their labels at a time');
    const { code: one, err } = await evaluate('--label', 'large', '--learner', logistic, ...options, '--time', 'at');
    expect(one).not.toBe(0);
    expect(err).toContain('one time without the other');
  });

  it.each([
    [['--label', 'large', '--learner', 'logistc()'], 1, 'there is no logistc', 'logisticRegression'],
    [['--label', 'large', '--learner', 'pipe('], 1, 'error (config)', '--learner'],
    [['--label', 'large', '--learner', '7'], 1, 'not a learner', 'pipe('],
    [
      ['--label', 'large', '--learner', 'hoeffdingTree({ classes: [true, false], grace: 9 })'],
      ...([1, "hoeffdingTree has no option 'grace'", 'gracePeriod'] as const),
    ],
    [
      ['--label', 'large', '--learner', 'logisticRegression({ optimiser: ftrl({ alpha: 1 }) })'],
      1,
      "no option 'optimiser'",
      'optimizer',
    ],
    [['--label', 'large', '--learner', 'perceptron({ featureMx: 9 })'], 1, "no option 'featureMx'", 'featureMax'],
    [
      ['--label', 'large', '--learner', 'kNearestNeighbors({ classes: [true, false], neighbours: 3 })'],
      ...([1, "no option 'neighbours'", 'neighbors, window, weights'] as const),
    ],
    [
      ['--label', 'large', '--learner', 'matrixFactorization({ optimizer: sgd({ rate: 0.1 }), factor: 3 })'],
      ...([1, "no option 'factor'", 'factors'] as const),
    ],
    [['--label', 'large', '--learner', 'ftrl({ alpha: -1 })'], 1, 'alpha', '--learner'],
    [['--label', 'large', '--learner', 'halfSpaceTrees()'], 1, 'learns without labels', 'probability'],
    [['--label', 'colour', '--learner', logistic], 1, 'no row could be scored: 400 rows unusable-label', '--positive'],
    [['--label', 'large', '--learner', logistic, '--metrics', 'f7'], 1, "no metric 'f7'", 'pr_auc'],
    [['--label', 'large', '--learner', logistic, '--columns', 'size:big'], 2, 'NAME:KIND', 'category'],
    [['--label', 'large'], 2, '--learner', 'required'],
  ])('refuses %j', async (args, code, message, hint) => {
    const result = await evaluate(...args);
    expect(result.code).toBe(code);
    expect(result.err).toContain(message);
    expect(result.err).toContain(hint);
  });
});
