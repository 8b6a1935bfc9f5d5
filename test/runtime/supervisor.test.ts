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
  snapshot = () => ({ epoch: this.epoch });
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
  const supervisor = new Supervisor({
    clock: new VirtualClock(),
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
  return { supervisor, warnings, turn, of };
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

  it('opens a task anew after a failure that may pass, and gives up when it fails again and again', async () => {
    const { supervisor, warnings, turn, of } = world(false);
    supervisor.assign([0]);
    for (let failure = 0; failure < 6; failure++) {
      await turn();
      of(0)[failure]?.break(new MillraceError('sink', 'refused'));
    }
    await expect(supervisor.finished).rejects.toThrow('refused');
    expect(of(0)).toHaveLength(6);
    expect(warnings).toHaveLength(5);
  });

  it('counts failures anew once a task got somewhere', async () => {
    const { supervisor, turn, of } = world(false);
    supervisor.assign([0]);
    for (let failure = 0; failure < 20; failure++) {
      await turn();
      const puppet = of(0)[failure] as Puppet;
      puppet.epoch = 1;
      puppet.break(new MillraceError('source', 'broker down'));
    }
    await turn();
    of(0)[20]?.end();
    await supervisor.finished;
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

  it('does not take a fenced task back before the group assigns it again', async () => {
    const { supervisor, turn, of } = world(true);
    supervisor.assign([0, 1]);
    await turn();
    of(0)[0]?.break(new MillraceError('fenced', 'another owner'));
    await turn();
    expect(of(0)).toHaveLength(1);
    supervisor.assign([0, 1]);
    await turn();
    expect(of(0)).toHaveLength(2);
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
