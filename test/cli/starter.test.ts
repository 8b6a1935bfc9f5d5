import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextSteps, starterFiles } from '../../src/cli/starter/index.js';
import { millraceArgs, shownCommands, wordsOf } from '../docs/shell-commands.js';
import { lastingPorts } from '../ports.js';
import { millrace, startMillrace, userFolder } from './millrace.js';

const run = promisify(execFile);
/** The sum over partitions of a metric with these labels. */
const sumOf = (metrics: string, labels: string): number =>
  metrics
    .split('\n')
    .filter((line) => line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** The words behind `millrace`, and the file for its standard input. */
function takeApart(text: string): { readonly args: readonly string[]; readonly inputFile: string | undefined } {
  return { args: millraceArgs({ words: wordsOf(text) }) ?? [], inputFile: / < (\S+)$/.exec(text)?.[1] };
}

describe('a first topology', () => {
  const { folder, remove } = userFolder();
  const outcomes = new Map<string, string>();
  /** Runs a command as a shell would, and gives what it printed. */
  const runs = async (text: string, exitCode = 0) => {
    const { args, inputFile } = takeApart(text);
    const input = inputFile === undefined ? '' : readFileSync(join(folder, inputFile), 'utf8');
    const { code, out, err } = await millrace(args, { folder, input });
    expect([text, code, err]).toEqual([text, exitCode, '']);
    return out;
  };
  const step = (text: string) => outcomes.get(nextSteps.find((next) => next.includes(text)) ?? '') ?? '';

  beforeAll(async () => {
    const init = await millrace(['init', '--json'], { folder });
    expect(init).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(init.out).written).toEqual([...starterFiles().keys()]);
    for (const next of nextSteps) outcomes.set(next, await runs(next));
  }, 120_000);
  afterAll(remove);

  it('has no problems', () => {
    expect(step('check')).toBe('payments: no problems found\n');
  });

  it('loses nothing and doubles nothing', () => {
    const lines = (name: string) => starterFiles().get(`data/${name}.ndjson`)?.trim().split('\n') ?? [];
    const payments = lines('payments').map((line) => JSON.parse(line));
    const distinct = new Set(payments.map(({ paymentId }) => paymentId)).size;
    const invalid = new Set(payments.filter(({ amount }) => amount < 0).map(({ paymentId }) => paymentId)).size;
    expect(payments.length).toBeGreaterThan(distinct);
    expect(invalid).toBeGreaterThan(0);
    const count = (name: string) => Number(new RegExp(`${name} +([\\d,]+)`).exec(step('run'))?.[1]?.replace(',', ''));
    expect(count('payments')).toBe(payments.length);
    expect(count('reviews')).toBe(lines('reviews').length);
    expect(count('history')).toBe(distinct - invalid);
    expect(count('range:amount')).toBe(invalid);
  });

  it('learns: the last days are better than the first', () => {
    const values = [...step('query').matchAll(/^\d{4}-\d\d-\d\d +([\d.]+)$/gm)].map(([, value]) => Number(value));
    expect(values.length).toBeGreaterThanOrEqual(8);
    const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    expect(mean(values.slice(-3))).toBeGreaterThan(mean(values.slice(0, 3)) + 0.05);
  });

  it('shows dead letters with reason and value', () => {
    const letters = step('tail').trim().split('\n');
    expect(letters).toHaveLength(3);
    expect(JSON.parse(letters[0] ?? '')).toMatchObject({
      value: { amount: expect.any(Number) },
      headers: { 'millrace.reason': 'range:amount', 'millrace.step': 'validate', 'millrace.topic': 'payments.v1' },
    });
  });

  it('has views of what it counted and measured', async () => {
    expect(await runs('millrace views create payments.ts')).toBe(
      ['by_day', 'counters', 'dead_letters', 'flow'].map((name) => `created metrics_${name}\n`).join(''),
    );
    const sql = `SELECT
      (SELECT groupArray((step, reason, toUInt32(deadLetters))) FROM metrics_dead_letters) AS dead,
      (SELECT toUInt32(recordsIn) FROM metrics_flow WHERE step = 'payments') AS read,
      (SELECT toUInt32(total) FROM metrics_counters WHERE counter = 'dead:range:amount') AS counted,
      (SELECT groupArray((toString(day), toString(round(mean, 3)))) FROM metrics_by_day WHERE name = 'roc_auc') AS days`;
    const { out } = await millrace(['query', sql, '--json'], { folder });
    const told = (name: string) => Number(new RegExp(`${name} +([\\d,]+)`).exec(step('run'))?.[1]?.replace(',', ''));
    const shown = [...step('query').matchAll(/^(\d{4}-\d\d-\d\d) +([\d.]+)$/gm)];
    expect(JSON.parse(out).rows).toEqual([
      {
        dead: [['validate', 'range:amount', told('range:amount')]],
        read: told('payments'),
        counted: told('range:amount'),
        days: shown.map(([, day, rocAuc]) => [day, rocAuc]),
      },
    ]);
  });

  it('goes on where it stopped: a second run finds nothing new', async () => {
    const again = await millrace(['run', 'payments.ts', '--until-end', '--json'], { folder });
    const summary = JSON.parse(again.out);
    expect(summary.written.history).toBe(2_980);
    expect(summary.latencyMs.p99).toBe(0);
  });

  it('is never overwritten', async () => {
    const again = await millrace(['init', '--json'], { folder });
    expect(again.code).toBe(1);
    expect(JSON.parse(again.out).error.message).toMatch(/^files exist already: payments\.ts, /);
  });

  it('says how the package is installed where a folder does not find it', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'millrace-init-'));
    const out = await millrace(['init', '--json', 'mine'], { folder: elsewhere });
    const [first, install, check] = JSON.parse(out.out).nextSteps;
    expect([first, check]).toEqual(['cd mine', 'npx millrace check payments.ts']);
    expect(resolve(elsewhere, 'mine', install.replace('npm install ', ''))).toBe(resolve(repository));
    rmSync(elsewhere, { recursive: true });
  });

  it('has types that hold', async () => {
    symlinkSync(join(repository, 'node_modules/@types'), join(folder, 'node_modules/@types'));
    const tsc = join(repository, 'node_modules/typescript/bin/tsc');
    const checked = run(process.execPath, [
      tsc,
      '-p',
      folder,
      '--customConditions',
      'millrace-source',
      '--lib', // that of our sources, which users do not compile
      'es2023,es2024.string',
      '--rootDir',
      '/',
    ]);
    await expect(checked.catch(({ stdout }) => Promise.reject(new Error(stdout)))).resolves.toBeDefined();
  });

  it('passes its own test', async () => {
    const tsx = join(repository, 'node_modules/tsx/dist/cli.mjs');
    const args = ['-C', 'millrace-source', tsx, '--test', '--test-reporter=tap', 'payments.test.ts'];
    const env = { PATH: process.env.PATH, NODE_OPTIONS: '-C millrace-source' };
    const { stdout } = await run(process.execPath, args, { cwd: folder, env });
    expect(stdout).toMatch(/^# pass 3$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });

  it('runs until it is stopped, is seen from outside meanwhile, and goes on with what came later', async () => {
    const [port] = await lastingPorts(1);
    const running = startMillrace(['run', 'payments.ts', '--port', String(port)], { folder });
    await expect.poll(running.output, { timeout: 20_000 }).toContain(`http://127.0.0.1:${port}`);
    // Counters are there once the tasks are open.
    const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await expect
      .poll(metrics, { timeout: 20_000 })
      .toMatch(/millrace_step_events_total\{step="history",event="written",partition="0",topology="payments"\} \d+/);
    expect(sumOf(await metrics(), 'step="history",event="written"')).toBe(2980);
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200);

    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('<title>Millrace</title>');
    const busy = await millrace(['run', 'payments.ts'], { folder });
    expect(busy.code).toBe(1);
    expect(busy.err).toContain('hint');

    running.process.kill('SIGINT');
    const { code, err } = await running.ended;
    expect([code, err]).toEqual([0, expect.stringContaining('stopping')]);

    const late = { paymentId: 'late', country: 'CH', amount: 5, paidAt: Date.UTC(2026, 0, 11) };
    const { args } = takeApart(nextSteps[1]);
    await millrace(args, { folder, input: JSON.stringify(late) });
    const after = await millrace(['run', 'payments.ts', '--until-end', '--json'], { folder });
    expect(JSON.parse(after.out).written.history).toBe(2_981);
  }, 120_000);

  it('is operated by the commands that the guides show', async () => {
    const renamed = readFileSync(join(folder, 'payments.ts'), 'utf8').replace("'dedupe'", "'once'");
    writeFileSync(join(folder, 'payments-v2.ts'), renamed);
    writeFileSync(
      join(folder, 'data/orders.csv'),
      'orderId,at,amount,returned\n1,2026-01-01,5,true\n2,2026-01-02,6,false\n',
    );
    const shown = shownCommands.filter(
      ({ isWhole, text }) =>
        isWhole &&
        /^millrace (plan|offsets|savepoint|dlq|tail|produce) |init orders/.test(text) &&
        !/cluster|--url/.test(text),
    );
    expect(shown.length).toBeGreaterThan(10);
    for (const { text } of shown) await runs(text, text.includes('plan payments-v2.ts') ? 3 : 0);
  }, 240_000);
});
