import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/index.js';
import { Supervisor } from '../../src/runtime/supervisor.js';
import type { Task } from '../../src/runtime/task.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

/** A task that runs until it is told to end, or to fail. */
class Puppet {
  readonly said: string[] = [];
  epoch = 0;
  private settle: { resolve: () => void; reject: (cause: unknown) => void } | undefined;
  readonly running = new Promise<void>((resolve, reject) => {
    this.settle = { resolve, reject };
  });

  end = () => this.settle?.resolve();
  break = (cause: unknown) => this.settle?.reject(cause);
  run = () => this.running;
  private asked = 0;
  /** The epoch it is at when it ends; 0 when it is opened. */
  snapshot = () => ({ epoch: this.asked++ === 0 ? 0 : this.epoch });
  stop = () => {
    this.said.push('stop');
    this.end();
  };
  abandon = () => {
    this.said.push('abandon');
    this.end();
  };
  close = async () => {
    this.said.push('close');
  };
}

function world(inGroup: boolean) {
  const opened: { partition: number; puppet: Puppet }[] = [];
  const warnings: string[] = [];
  const clock = new VirtualClock();
  const supervisor = new Supervisor({
    clock,
    inGroup,
    onWarning: (message) => warnings.push(message),
    open: async (partition) => {
      const puppet = new Puppet();
      opened.push({ partition, puppet });
      return puppet as unknown as Task;
    },
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const of = (partition: number) => opened.filter((each) => each.partition === partition).map(({ puppet }) => puppet);
  return { supervisor, warnings, turn, of, clock };
}

describe('Supervisor', () => {
  it('ends when every task has ended', async () => {
    const { supervisor, turn, of } = world(false);
    supervisor.assign([0, 1]);
    await turn();
    of(0)[0]?.end();
    await turn();
    let finished = false;
    const done = supervisor.finished.then(() => {
      finished = true;
    });
    await turn();
    expect(finished).toBe(false);
    of(1)[0]?.end();
    await done;
    expect(of(1)[0]?.said).toEqual(['close']);
  });

  it('opens a task anew after a failure that may pass, and gives up after ten minutes without progress', async () => {
    const { supervisor, warnings, turn, of, clock } = world(false);
    supervisor.assign([0]);
    let over = false;
    const ended = supervisor.finished.catch((cause: unknown) => {
      over = true;
      return cause;
    });
    for (let failure = 0; !over && failure < 1_000; failure++) {
      await turn();
      of(0)[failure]?.break(new MillraceError('sink', 'refused'));
      await turn();
    }
    expect(await ended).toMatchObject({ message: 'refused' });
    expect(clock.now()).toBeGreaterThan(600_000);
    expect(clock.now()).toBeLessThan(620_000);
    expect(warnings.length).toBe(of(0).length - 1);
  });

  it('is patient anew once a task got somewhere', async () => {
    const { supervisor, turn, of, clock } = world(false);
    supervisor.assign([0]);
    for (let failure = 0; failure < 200; failure++) {
      await turn();
      const puppet = of(0)[failure] as Puppet;
      puppet.epoch = 1;
      puppet.break(new MillraceError('source', 'broker down'));
      clock.advance(5_000);
    }
    await turn();
    of(0)[200]?.end();
    await supervisor.finished;
  });

  it('does not try again what will be the same at every try', async () => {
    const { supervisor, warnings, turn, of } = world(false);
    supervisor.assign([0]);
    await turn();
    of(0)[0]?.break(new MillraceError('state', 'another version', { lasting: true }));
    await expect(supervisor.finished).rejects.toThrow('another version');
    expect([of(0).length, warnings]).toEqual([1, []]);
  });

  it('stops all tasks when one fails for good, and reports that cause', async () => {
    const { supervisor, turn, of } = world(false);
    supervisor.assign([0, 1]);
    await turn();
    of(0)[0]?.break(new MillraceError('step', 'the step threw'));
    await expect(supervisor.finished).rejects.toThrow('the step threw');
    expect(of(1)[0]?.said).toContain('stop');
  });

  it('lets go of tasks that moved, without a commit, keeps the others and opens the new', async () => {
    const { supervisor, turn, of } = world(true);
    supervisor.assign([0, 1]);
    await turn();
    supervisor.assign([1, 2]);
    await turn();
    expect(of(0)[0]?.said).toEqual(['abandon', 'close']);
    expect(of(1)).toHaveLength(1);
    expect(of(1)[0]?.said).toEqual([]);
    expect(of(2)).toHaveLength(1);
    supervisor.stop();
    await supervisor.finished;
  });

  it('opens a fenced task anew, which asks the group whose it is, but not once the group took it away', async () => {
    const { supervisor, turn, of } = world(true);
    supervisor.assign([0, 1]);
    await turn();
    of(0)[0]?.break(new MillraceError('fenced', 'another owner'));
    await turn();
    expect(of(0)).toHaveLength(2);
    supervisor.assign([1]);
    of(0)[1]?.break(new MillraceError('fenced', 'another owner'));
    await turn();
    expect(of(0)).toHaveLength(2);
    supervisor.stop();
    await supervisor.finished;
  });

  it('opens a task that comes back only when what is left of it has closed', async () => {
    const { supervisor, turn, of } = world(true);
    supervisor.assign([0]);
    await turn();
    const first = of(0)[0] as Puppet;
    first.abandon = () => first.said.push('abandon'); // does not end yet
    supervisor.assign([]);
    supervisor.assign([0]);
    supervisor.assign([]);
    supervisor.assign([0]);
    await turn();
    expect(of(0)).toHaveLength(1);
    first.end();
    await turn();
    expect(first.said).toEqual(['abandon', 'close']);
    expect(of(0)).toHaveLength(2);
    supervisor.stop();
    await supervisor.finished;
  });

  it('takes no more tasks once it has ended', async () => {
    const { supervisor, turn, of } = world(true);
    supervisor.assign([0]);
    await turn();
    of(0)[0]?.end();
    await supervisor.finished;
    supervisor.assign([0, 1]);
    await turn();
    expect(of(1)).toEqual([]);
  });

  it('ends well when its last commit comes after the group gave the task away', async () => {
    const { supervisor, turn, of } = world(true);
    supervisor.assign([0]);
    await turn();
    const puppet = of(0)[0] as Puppet;
    puppet.stop = () => puppet.break(new MillraceError('fenced', 'another owner'));
    supervisor.stop();
    await supervisor.finished;
  });

  it('ends with the cause when a task is fenced and there is no group to ask', async () => {
    const { supervisor, turn, of } = world(false);
    supervisor.assign([0]);
    await turn();
    of(0)[0]?.break(new MillraceError('fenced', 'another owner'));
    await expect(supervisor.finished).rejects.toThrow('another owner');
  });
});
