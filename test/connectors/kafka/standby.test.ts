import { describe, expect, it } from 'vitest';
import type { ChangelogFollower } from '../../../connectors/kafka/checkpoint/read-changelog.js';
import { Standbys } from '../../../connectors/kafka/checkpoint/standby.js';

/** A changelog in the hands of the test: each step waits until it is told how it ends. */
class Changelog {
  offset = 0;
  closed = false;
  private next: { resolve(isAll: boolean): void; reject(error: Error): void } | undefined;

  step(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.next = { resolve, reject };
    });
  }

  async read(offset: number, isAll: boolean): Promise<void> {
    this.offset = offset;
    this.next?.resolve(isAll);
    await turns();
  }

  async fail(message: string): Promise<void> {
    this.next?.reject(new Error(message));
    await turns();
  }

  get recordsBehind(): number {
    return 100 - this.offset;
  }

  get bytes(): number {
    return 10 * this.offset;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.next?.resolve(true);
  }
}

const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function world() {
  const logs = new Map<number, Changelog[]>();
  const warnings: string[] = [];
  const standbys = new Standbys({
    async open(task) {
      const log = new Changelog();
      logs.set(task, [...(logs.get(task) ?? []), log]);
      return log as unknown as ChangelogFollower;
    },
    onWarning: (message) => warnings.push(message),
  });
  const log = (task: number, nth = 0): Changelog => {
    const found = logs.get(task)?.[nth];
    if (!found) throw new Error(`task ${task} was not opened ${nth + 1} times`);
    return found;
  };
  return { standbys, log, warnings };
}

describe('standbys', () => {
  it('are ready when they have read all that there was, and say how far they are', async () => {
    const { standbys, log } = world();
    standbys.assign([1, 2], [0]);
    await turns();
    expect(standbys.tasks).toEqual([1, 2]);
    await log(1).read(40, false);
    expect(standbys.ready).toEqual([]);
    await log(1).read(90, true);
    expect(standbys.ready).toEqual([1]);
    await log(1).read(95, false); // behind again for a moment: still little to read
    expect(standbys.status()).toEqual([
      { partition: 1, ready: true, recordsBehind: 5, bytes: 950 },
      { partition: 2, ready: false, recordsBehind: 100, bytes: 0 },
    ]);
  });

  it('hand a task over once, when the step under way has ended', async () => {
    const { standbys, log } = world();
    standbys.assign([1], []);
    await turns();
    await log(1).read(40, true);
    standbys.assign([], [1]); // now its own: kept until it is asked for
    expect(standbys.tasks).toEqual([1]);
    const taking = standbys.take(1);
    await turns();
    await log(1).read(60, true);
    const taken = await taking;
    expect(taken?.offset).toBe(60);
    expect(log(1).closed).toBe(false);
    expect(await standbys.take(1)).toBeUndefined();
    expect(standbys.status()).toEqual([]);
  });

  it('let go of what they are not asked to follow any more', async () => {
    const { standbys, log } = world();
    standbys.assign([1, 2], []);
    await turns();
    standbys.assign([2], []);
    await log(1).read(1, true);
    await turns();
    expect([log(1).closed, log(2).closed]).toEqual([true, false]);
    const closing = standbys.close();
    await log(2).read(1, true);
    await closing;
    await turns();
    expect(log(2).closed).toBe(true);
  });

  it('begin anew after a failure, which they tell, and are not ready until they have read all again', async () => {
    const { standbys, log, warnings } = world();
    standbys.assign([1], []);
    await turns();
    await log(1).read(50, true);
    await log(1).fail('the topic was re-created');
    expect(standbys.ready).toEqual([]);
    expect(log(1).closed).toBe(true);
    expect(warnings).toEqual([expect.stringContaining('the topic was re-created')]);
    await expect.poll(() => log(1, 1)).toBeDefined(); // after a wait
    await log(1, 1).read(10, true);
    expect(standbys.ready).toEqual([1]);
  });

  it('keep nobody waiting who takes a task while they wait after a failure', async () => {
    const { standbys, log } = world();
    standbys.assign([1], []);
    await turns();
    await log(1).fail('gone');
    const later = turns()
      .then(turns)
      .then(() => 'still waits');
    expect(await Promise.race([standbys.take(1), later])).toBeUndefined();
  });

  it('have nothing to hand over where following has just failed', async () => {
    const { standbys, log } = world();
    standbys.assign([1], []);
    await turns();
    const taking = standbys.take(1);
    await log(1).fail('gone');
    expect(await taking).toBeUndefined();
  });
});
