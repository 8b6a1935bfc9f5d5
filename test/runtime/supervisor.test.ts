import { describe, expect, it, vi } from 'vitest';
import { MillraceError } from '../../src/core/index.js';
import { Outages } from '../../src/runtime/outages.js';
import type { PendingOperations } from '../../src/runtime/pending-operations.js';
import { Supervisor } from '../../src/runtime/supervisor.js';
import type { Task } from '../../src/runtime/task.js';
import type { Opening } from '../../src/runtime/task-options.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

/** A task that runs until it is told to end, or to fail. */
class Puppet {
  readonly said: string[] = [];
  epoch = 0;
  constructor(readonly waits: PendingOperations) {}

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
  /** What is left of it ends only when `end` is called. */
  forceClose = () => {
    this.said.push('forceClose');
    return this.running;
  };
}

/** An opening that waits for its answer. */
interface Hung {
  opening?: Opening;
  readonly answer: Promise<void>;
  wake(): void;
}

function world(inGroup: boolean) {
  const opened: { partition: number; puppet: Puppet }[] = [];
  const hanging: Hung[] = [];
  const warnings: string[] = [];
  const clock = new VirtualClock();
  const onWarning = (message: string) => void warnings.push(message);
  const random = () => 1;
  const outages = new Outages({ clock, random, onWarning, ping: () => answer?.() });
  let answer: (() => Promise<void>) | undefined;
  const supervisor = new Supervisor({
    clock,
    inGroup,
    onWarning,
    random,
    outages,
    stallMaxMs: 60_000,
    open: async (partition, opening) => {
      const hung = hanging.pop();
      if (hung) {
        hung.opening = opening;
        await hung.answer;
      }
      const { waits } = opening;
      const puppet = new Puppet(waits);
      opened.push({ partition, puppet });
      return puppet as unknown as Task;
    },
  });
  /** Long enough for a wait to end, which takes a turn itself, and for what follows. */
  const turn = async () => {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  const of = (partition: number) => opened.filter((each) => each.partition === partition).map(({ puppet }) => puppet);
  const askedFor = (next: typeof answer) => {
    answer = next;
  };
  /** Lets the next opening of a task hang until it is woken. */
  const hang = () => {
    let wake = () => {};
    const answer = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const hung: Hung = { answer, wake };
    hanging.push(hung);
    return hung;
  };
  return { supervisor, warnings, turn, of, clock, outages, askedFor, hang };
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

  it('remembers why it opened a task anew, five times, with the sink that failed it', async () => {
    const { supervisor, turn, of, clock, outages, askedFor } = world(false);
    askedFor(async () => undefined);
    supervisor.assign([0]);
    for (let failure = 0; failure < 7; failure++) {
      await turn();
      const error = new MillraceError('sink', `refused ${failure}`, { where: 'redis://store' });
      if (failure === 6) outages.report('newest', error);
      of(0)[failure]?.break(error);
      await turn();
      clock.advance(15_000);
    }
    expect(supervisor.health[0]?.lastRestarts.map(({ cause, where }) => [cause, where])).toEqual([
      ...[2, 3, 4, 5].map((failure) => [`refused ${failure} (redis://store)`, 'redis://store']),
      ['refused 6 (redis://store)', 'newest'],
    ]);
    supervisor.stop();
    await supervisor.finished;
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
    of(0)[0]?.break(new MillraceError('state', 'another version', { permanent: true }));
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

  it('opens its tasks anew where it is told to, once each, which is no restart', async () => {
    const { supervisor, turn, of } = world(false);
    supervisor.assign([0, 1]);
    await turn();
    supervisor.reopen();
    await turn();
    for (const partition of [0, 1]) expect(of(partition).map(({ said }) => said)).toEqual([['stop', 'close'], []]);
    expect(supervisor.health.map(({ restarts }) => restarts)).toEqual([0, 0]);
    for (const partition of [0, 1]) of(partition)[1]?.end();
    await supervisor.finished;
    expect([...of(0), ...of(1)]).toHaveLength(4);
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

  it('gives a task that hangs up, opens it anew, and does not wait for what is left of it', async () => {
    const { supervisor, warnings, turn, of, clock } = world(false);
    supervisor.assign([0]);
    await turn();
    const first = of(0)[0] as Puppet;
    void first.waits.track({ kind: 'sink', id: 'history' }, new Promise(() => undefined));
    for (let look = 0; look < 6; look++) clock.advance(15_000);
    await turn();
    await turn();
    expect(first.said).toEqual(['forceClose']);
    expect(of(0)).toHaveLength(2);
    expect(warnings).toContain(
      "sink 'history' is down, its tasks wait for it: sink 'history' has not answered for 60 s",
    );
    const cause = "sink 'history' has not answered for 60 s";
    expect(supervisor.health).toEqual([
      {
        ...{ partition: 0, restarts: 1, stalls: 1, waitsFor: undefined },
        lastRestarts: [{ atMs: expect.any(Number), cause, where: 'history' }],
      },
    ]);
    of(0)[1]?.end();
    await supervisor.finished;
  });

  it('lets a task go that hangs when it is lost, or while it closes', async () => {
    const { supervisor, turn, of, clock } = world(true);
    supervisor.assign([0, 1]);
    await turn();
    const [lost, closing] = [of(0)[0] as Puppet, of(1)[0] as Puppet];
    lost.abandon = () => undefined;
    void lost.waits.track({ kind: 'source', id: 'events' }, new Promise(() => undefined));
    closing.close = () => new Promise(() => undefined);
    supervisor.assign([1]);
    closing.end();
    await turn();
    supervisor.stop();
    for (let look = 0; look < 6; look++) clock.advance(15_000);
    await expect(supervisor.finished).rejects.toThrow('closing the task');
    expect(lost.said).toEqual(['forceClose']);
  });

  it('gives an opening up that hangs, closes what it has opened, and lets it open nothing more', async () => {
    const { supervisor, turn, of, clock, hang } = world(false);
    const hung = hang();
    supervisor.assign([0]);
    await turn();
    const [late, never] = [vi.fn(async () => undefined), vi.fn()];
    const early = vi.fn(async () => undefined);
    const { opening } = hung;
    await opening?.part(() => ({ close: early }));
    const rest = opening
      ?.part(() =>
        opening.waits.track(
          { kind: 'source', id: 'events' },
          hung.answer.then(() => ({ close: late })),
        ),
      )
      .then(() => opening.part(never))
      .finally(() => opening.close());
    for (let look = 0; look < 6; look++) clock.advance(15_000);
    await turn();
    await turn();
    expect(early).toHaveBeenCalledOnce();
    expect(of(0)).toHaveLength(1);
    expect(supervisor.health).toMatchObject([
      { restarts: 1, stalls: 1, lastRestarts: [{ cause: "source 'events' has not answered for 60 s" }] },
    ]);
    hung.wake();
    await expect(rest).rejects.toThrow('given up');
    expect(late).toHaveBeenCalledOnce();
    expect(never).not.toHaveBeenCalled();
    of(0)[0]?.end();
    await supervisor.finished;
  });

  it('waits for no opening that hangs once it is stopped', async () => {
    const { supervisor, turn, clock, hang } = world(false);
    hang();
    supervisor.assign([0]);
    await turn();
    for (let look = 0; look < 60; look++) clock.advance(15_000);
    supervisor.stop();
    const finished = expect(supervisor.finished).rejects.toThrow('closing the task has not answered for 60 s');
    for (let look = 0; look < 6; look++) clock.advance(15_000);
    await finished;
  });

  it('ends the run before tasks that were given up and never end fill the memory', async () => {
    const { supervisor, turn, of, clock } = world(false);
    supervisor.assign([0]);
    let over = false;
    const ended = supervisor.finished.catch((cause: unknown) => {
      over = true;
      return cause;
    });
    for (let stall = 0; !over; stall++) {
      await turn();
      const puppet = of(0)[stall] as Puppet;
      puppet.epoch = 1; // each of them had got somewhere
      void puppet.waits.track({ kind: 'ledger', id: 'commit' }, new Promise(() => undefined));
      for (let look = 0; look < 6; look++) clock.advance(15_000);
      await turn();
    }
    expect(await ended).toMatchObject({ code: 'state', message: "ledger 'commit' has not answered for 60 s" });
    expect(of(0).length).toBe(17);
  });

  it('opens no task while a sink is down, however long, and does not count that against its patience', async () => {
    const { supervisor, turn, of, clock, outages, askedFor, warnings } = world(false);
    let up = false;
    askedFor(async () => {
      if (!up) throw new Error('still refused');
    });
    supervisor.assign([0, 1]);
    await turn();
    const down = new MillraceError('sink', 'refused');
    outages.report('history', down);
    of(0)[0]?.break(down);
    for (let i = 0; i < 400; i++) await turn(); // asked again and again: every time a while passes
    expect(clock.now()).toBeGreaterThan(1_200_000);
    expect(of(0)).toHaveLength(1);
    expect(outages.down).toMatchObject([{ sink: 'history', sinceMs: 0 }]);
    expect(of(1)[0]?.said).toEqual([]); // a task that gets on is left alone
    up = true;
    for (let i = 0; i < 5; i++) await turn();
    expect(of(0)).toHaveLength(2);
    expect(outages.down).toEqual([]);
    expect(warnings.at(-1)).toMatch(/answers again/);
    of(0)[1]?.break(new MillraceError('source', 'a broker moved'));
    await turn();
    await turn();
    expect(of(0)).toHaveLength(3);
    supervisor.stop();
    await supervisor.finished;
  });

  it('ends with the cause where a sink answers and refuses for ten minutes', async () => {
    const { supervisor, turn, of, clock, outages, askedFor } = world(false);
    askedFor(async () => undefined);
    supervisor.assign([0]);
    const refused = new MillraceError('sink', 'too many parts');
    let over = false;
    const ended = supervisor.finished.catch((cause: unknown) => {
      over = true;
      return cause;
    });
    for (let failure = 0; !over && failure < 1_000; failure++) {
      for (let i = 0; i < 4 && !of(0)[failure]; i++) await turn();
      outages.report('history', refused);
      of(0)[failure]?.break(refused);
      await turn();
    }
    expect(await ended).toBe(refused);
    expect(clock.now()).toBeGreaterThan(600_000);
    expect(clock.now()).toBeLessThan(640_000);
  });

  it('stops at once while a sink is down', async () => {
    const { supervisor, turn, of, outages, askedFor } = world(false);
    askedFor(() => new Promise(() => undefined));
    supervisor.assign([0]);
    await turn();
    const down = new MillraceError('sink', 'refused');
    outages.report('history', down);
    of(0)[0]?.break(down);
    await turn();
    supervisor.stop();
    await supervisor.finished;
    expect(of(0)).toHaveLength(1);
  });

  it('ends with the cause when a task is fenced and there is no group to ask', async () => {
    const { supervisor, turn, of } = world(false);
    supervisor.assign([0]);
    await turn();
    of(0)[0]?.break(new MillraceError('fenced', 'another owner'));
    await expect(supervisor.finished).rejects.toThrow('another owner');
  });
});
