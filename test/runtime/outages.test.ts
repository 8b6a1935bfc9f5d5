import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/index.js';
import { Outages } from '../../src/runtime/outages.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};
const refused = new MillraceError('sink', 'connection refused');
const { signal } = new AbortController();

class Clock extends VirtualClock {
  readonly slept: number[] = [];
  override sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    return super.sleep(ms);
  }
}

describe('Outages', () => {
  it('asks with growing waits until the sink answers, and says so at the beginning and at the end', async () => {
    const clock = new Clock();
    const warnings: string[] = [];
    let asked = 0;
    const causes = new Set<string>();
    const ask = async () => {
      for (const { cause } of outages.down) causes.add(cause);
      if (++asked < 9) throw new Error(`no ${asked}`);
    };
    const outages = new Outages({ clock, ping: ask, random: () => 1, onWarning: (message) => warnings.push(message) });
    outages.report('history', refused);
    expect(outages.down).toMatchObject([{ sink: 'history', cause: 'connection refused' }]);
    await outages.over(signal);
    expect(outages.down).toEqual([]);
    expect([...causes]).toEqual(['connection refused', ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `no ${n}`)]);
    const waits = clock.slept.filter((_, i) => i % 2 === 0); // every other one is the limit of an answer
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000]);
    expect(warnings).toEqual([
      "sink 'history' is down, its tasks wait for it: connection refused",
      "sink 'history' answers again after 146 s",
    ]);
  });

  it('goes on asking where the ping itself throws', async () => {
    const clock = new Clock();
    let asked = 0;
    const ping = () => {
      if (++asked < 3) throw new Error('no client yet');
      return Promise.resolve();
    };
    const outages = new Outages({ clock, ping, random: () => 1, onWarning: () => undefined });
    outages.report('history', refused);
    expect(await outages.over(signal)).toBe(true);
    expect([asked, outages.down]).toEqual([3, []]);
  });

  it('waits longer for a sink that answers and still fails, until an epoch arrived', async () => {
    const clock = new Clock();
    const outages = new Outages({ clock, ping: () => undefined, random: () => 1, onWarning: () => undefined });
    const fail = async () => {
      outages.report('history', refused);
      await outages.over(signal);
      return clock.slept.at(-1);
    };
    expect([await fail(), await fail(), await fail()]).toEqual([500, 1_000, 2_000]);
    outages.worked();
    expect(await fail()).toBe(500);
  });

  it('leaves nothing behind on a task that waits out many of them', async () => {
    const leaving = new AbortController();
    const outages = new Outages({
      clock: new VirtualClock(),
      ping: () => undefined,
      random: () => 1,
      onWarning: () => undefined,
    });
    for (let outage = 0; outage < 30; outage++) {
      outages.report('history', refused);
      await outages.over(leaving.signal);
    }
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
  });

  it('is one outage to all tasks that tell of it', async () => {
    const warnings: string[] = [];
    let answer = (): void => undefined;
    const outages = new Outages({
      clock: new VirtualClock(),
      ping: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
      random: () => 0,
      onWarning: (message) => warnings.push(message),
    });
    for (let task = 0; task < 5; task++) outages.report('history', refused);
    outages.report('online', refused);
    await turns();
    expect(outages.down.map(({ sink }) => sink)).toEqual(['history', 'online']);
    expect(warnings).toHaveLength(2);
    outages.close();
    answer();
  });

  it('does not wait for what will not pass, nor for what no sink is to blame for', () => {
    const outages = new Outages({
      clock: new VirtualClock(),
      ping: () => undefined,
      random: () => 0,
      onWarning: () => undefined,
    });
    outages.report('history', new MillraceError('sink', 'no such column', { permanent: true }));
    outages.report('history', new MillraceError('fenced', 'another owner'));
    outages.report('history', new TypeError('undefined is not a function'));
    expect(outages.down).toEqual([]);
  });

  it('lets go of who waits when it is told to, and asks no more once it is closed', async () => {
    let asked = 0;
    const outages = new Outages({
      clock: new VirtualClock(),
      ping: async () => {
        asked += 1;
        await new Promise((resolve) => setImmediate(resolve));
        throw refused;
      },
      random: () => 0,
      onWarning: () => undefined,
    });
    outages.report('history', refused);
    const leaving = new AbortController();
    const waiting = outages.over(leaving.signal);
    leaving.abort();
    await waiting;
    outages.close();
    await turns();
    const before = asked;
    await turns();
    expect(asked).toBe(before);
  });
});
