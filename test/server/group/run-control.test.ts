import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskElsewhere } from '../../../src/runtime/index.js';
import { type RunControl, runControl } from '../../../src/server/actions/run-control.js';
import { type Monitoring, serveMonitoring } from '../../../src/server/http.js';
import { provenAddress } from '../../../src/server/owner-address.js';
import { someSnapshot } from '../../cli/snapshot.js';
import { orders } from '../orders.js';

const [task] = someSnapshot().tasks;
if (!task) throw new Error('the snapshot has no task');
const TOKEN = 'secret';
const caller = { by: 'ada', alone: false };

const open: Monitoring[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A process with one task, behind a real socket. */
class TestProcess {
  readonly lines: string[] = [];
  readonly saved: string[] = [];
  elsewhere: TaskElsewhere[] = [];
  offset = 120;
  isPaused = false;
  /** Whether its task comes to rest when it is paused. */
  drains = true;
  isStopped = false;
  /** Happens while a savepoint is written. */
  meanwhile = async () => {};
  readonly control: RunControl;
  monitoring: Monitoring | undefined;

  constructor(private readonly partition: number) {
    const snapshot = () => ({
      ...someSnapshot(),
      isPaused: this.isPaused,
      tasks: task
        ? [
            {
              ...{ ...task, partition: this.partition, isAtRest: this.isPaused && this.drains },
              positions: { orders: { offset: this.offset, mergeTimeMs: 0 } },
            },
          ]
        : [],
    });
    this.control = runControl({
      ...{ topology: 'orders', token: TOKEN },
      running: {
        snapshot,
        pause: () => {
          this.isPaused = true;
        },
        resume: () => {
          this.isPaused = false;
        },
        elsewhere: () => this.elsewhere,
      },
      drain: () => {
        this.isStopped = true;
      },
      save: async (name, isUnchanged) => {
        await this.meanwhile();
        if (!(await isUnchanged())) throw new Error('changed');
        this.saved.push(name);
        return { topology: 'orders', file: `/data/${name}.mrsp`, bytes: 10, partitions: 2 };
      },
      onAction: (line) => void this.lines.push(line),
    });
  }

  async serve(isAllowed = true): Promise<string> {
    this.monitoring = await serveMonitoring({
      ...{ host: '127.0.0.1', port: 0, token: TOKEN, topology: orders, profile: 'cluster' as const },
      running: { snapshot: someSnapshot, query: async () => ({ kind: 'retry', why: 'not now' }) },
      actions: { isAllowed, control: this.control },
      isReady: () => true,
    });
    open.push(this.monitoring);
    return provenAddress(this.monitoring.url, 'orders', TOKEN);
  }
}

const at = (address: string | undefined, partition = 1): TaskElsewhere => ({
  subtopology: 'orders',
  partition,
  address,
});

describe('the control of a group', () => {
  let here: TestProcess;
  let other: TestProcess;
  beforeEach(async () => {
    [here, other] = [new TestProcess(0), new TestProcess(1)];
    here.elsewhere = [at(await other.serve())];
  });

  it('pauses and resumes all processes, and each says who asked', async () => {
    expect(await here.control.pause(caller)).toEqual({
      atRest: { 'orders/0': { orders: 120 }, 'orders/1': { orders: 120 } },
      missing: [],
    });
    expect([here.isPaused, other.isPaused]).toEqual([true, true]);
    expect(await here.control.resume(caller)).toEqual({ atRest: {}, missing: [] });
    expect([here.isPaused, other.isPaused]).toEqual([false, false]);
    expect(here.lines).toEqual(['ada pauses the run', 'ada resumes the run']);
    expect(other.lines).toEqual([
      expect.stringMatching(/^ada by way of 127\.0\.0\.1 \(request \w+-1\) pauses the run$/),
      expect.stringMatching(/^ada by way of 127\.0\.0\.1 \(request \w+-2\) resumes the run$/),
    ]);
  });

  it('stops one process, or all', async () => {
    await here.control.stop({ ...caller, alone: true });
    expect([here.isStopped, other.isStopped]).toEqual([true, false]);
    expect(here.lines).toEqual(['ada stops this process']);
    await here.control.stop(caller);
    expect(other.isStopped).toBe(true);
  });

  it('names processes that do not follow, and asks nobody who has not proven to know the token', async () => {
    const refuses = new TestProcess(2);
    const stranger = new TestProcess(3);
    here.elsewhere = [
      at(provenAddress('http://127.0.0.1:1', 'orders', TOKEN)),
      at(await refuses.serve(false), 2),
      at((await stranger.serve()).split('#')[0], 3),
      at(undefined, 4),
    ];
    const { atRest, missing } = await here.control.pause(caller);
    expect(Object.keys(atRest)).toEqual(['orders/0']);
    expect(missing).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:1: /),
      expect.stringContaining('it answers: actions are not allowed'),
      'task 3 is moving, or in a process without --port',
      'task 4 is moving, or in a process without --port',
    ]);
    expect([refuses.isPaused, stranger.isPaused]).toEqual([false, false]);
  });

  it('takes a savepoint of all tasks at rest, and lets them go on', async () => {
    let paused: unknown;
    here.meanwhile = async () => {
      paused = [here.isPaused, other.isPaused];
    };
    const written = await here.control.savepoint('before-v2', 'ada');
    expect(written.file).toBe('/data/before-v2.mrsp');
    expect(paused).toEqual([true, true]);
    expect([here.isPaused, other.isPaused]).toEqual([false, false]);
    expect(here.lines).toEqual([
      'ada takes the savepoint "before-v2"',
      'savepoint "before-v2" is written: /data/before-v2.mrsp',
    ]);
    // A run that was paused stays so.
    await here.control.pause(caller);
    await here.control.savepoint('again', 'ada');
    expect([here.isPaused, other.isPaused]).toEqual([true, true]);
  });

  it('writes no savepoint of tasks that are not at rest, or have read meanwhile, or while another one is written', async () => {
    here.elsewhere.push(at(undefined, 2));
    await expect(here.control.savepoint('one', 'ada')).rejects.toMatchObject({
      code: 'config',
      message: 'task 2 is moving, or in a process without --port',
    });
    here.elsewhere.pop();
    here.meanwhile = async () => {
      other.offset += 1;
      await expect(here.control.savepoint('two', 'bob')).rejects.toThrow('another savepoint is being written');
    };
    await expect(here.control.savepoint('one', 'ada')).rejects.toThrow('changed');
    expect(here.lines.at(-1)).toBe('savepoint "one" failed: changed');
    expect(here.saved).toEqual([]);
    expect([here.isPaused, other.isPaused]).toEqual([false, false]);
  });
});
