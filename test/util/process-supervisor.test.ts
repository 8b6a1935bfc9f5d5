import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { ProcessSupervisor } from '../../src/util/process-supervisor.js';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** Real processes, each running the script that its index and turn call for. */
function world(processes: number, scriptOf: (index: number, turn: number) => string, waitMs = 20) {
  const turns = new Map<number, number>();
  const news: unknown[] = [];
  const deaths: number[] = [];
  const warnings: string[] = [];
  const supervisor = new ProcessSupervisor({
    processes,
    waitMs,
    start(index) {
      const turn = turns.get(index) ?? 0;
      turns.set(index, turn + 1);
      const child = spawn(process.execPath, ['-e', scriptOf(index, turn)], {
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        detached: true,
      });
      started.push(child);
      return child;
    },
    onNews: (index, told) => news.push([index, told]),
    async onDeath(index) {
      deaths.push(index);
    },
    onWarning: (message) => warnings.push(message),
  });
  const until = async (what: () => boolean) => {
    while (!what()) await sleep(10);
  };
  return { supervisor, news, deaths, warnings, turns, until };
}

const untilTold = `process.on('SIGTERM', () => process.exit(0)); process.send('up'); setInterval(() => {}, 1000);`;
const done = 'process.exit(0);';
const wrong = 'process.exit(1);';
const crash = `process.kill(process.pid, 'SIGKILL');`;

describe('ProcessSupervisor', () => {
  it('ends when every process has done its work', async () => {
    const { supervisor, deaths, turns } = world(3, () => done);
    await supervisor.finished;
    expect(deaths).toEqual([]);
    expect([...turns.values()]).toEqual([1, 1, 1]);
  });

  it('hears its processes and asks all of them to end', async () => {
    const { supervisor, news, until } = world(2, () => untilTold);
    await until(() => news.length === 2);
    expect(supervisor.pids.size).toBe(2);
    supervisor.stop();
    await supervisor.finished;
    expect(news.sort()).toEqual([
      [0, 'up'],
      [1, 'up'],
    ]);
    expect(supervisor.pids.size).toBe(0);
  });

  it('starts a process anew that died of a signal, after its death was told', async () => {
    const { supervisor, deaths, warnings, turns } = world(2, (index, turn) => (index === 1 && turn < 2 ? crash : done));
    await supervisor.finished;
    expect(deaths).toEqual([1, 1]);
    expect(turns.get(1)).toBe(3);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('process 1 died of SIGKILL');
  });

  it('takes the word of a process that says going on is wrong: the others end, the run fails', async () => {
    const { supervisor, turns } = world(2, (index) => (index === 0 ? untilTold : wrong));
    await expect(supervisor.finished).rejects.toMatchObject({ message: 'process 1 ended with code 1' });
    expect([...turns.values()]).toEqual([1, 1]);
  });

  it('starts a process anew that failed for now, as often as it does, while the others go on', async () => {
    const later = 'process.exit(75);';
    const script = (index: number, turn: number) => (index === 0 ? untilTold : turn < 12 ? later : done);
    const { supervisor, warnings, turns, until } = world(2, script, 1);
    await until(() => turns.get(1) === 13);
    expect(supervisor.pids.has(0)).toBe(true);
    supervisor.stop();
    await supervisor.finished;
    expect([...turns.values()]).toEqual([1, 13]);
    expect(warnings[0]).toBe('process 1 failed for now and is restarted');
  });

  it('gives up on a process that dies again and again', async () => {
    const { supervisor, deaths } = world(1, () => crash, 1);
    await expect(supervisor.finished).rejects.toMatchObject({ message: expect.stringContaining('10 times in a row') });
    expect(deaths).toHaveLength(10);
  });

  it('can be stopped while it waits to start one anew', async () => {
    const { supervisor, turns, until, warnings } = world(1, () => crash, 500);
    await until(() => warnings.length === 3);
    const startedMs = performance.now();
    supervisor.stop();
    await supervisor.finished;
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(turns.get(0)).toBeLessThanOrEqual(4);
  });

  it('goes on where a death cannot be told to the group', async () => {
    const { supervisor, warnings } = worldWithDeafGroup();
    await supervisor.finished;
    expect(warnings[0]).toContain('no broker');
  });

  function worldWithDeafGroup() {
    const warnings: string[] = [];
    let turn = 0;
    const supervisor = new ProcessSupervisor({
      processes: 1,
      start: () => {
        const child = spawn(process.execPath, ['-e', turn++ === 0 ? crash : done], {
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        });
        started.push(child);
        return child;
      },
      onNews: () => undefined,
      onDeath: () => Promise.reject(new Error('no broker')),
      onWarning: (message) => warnings.push(message),
    });
    return { supervisor, warnings };
  }
});
