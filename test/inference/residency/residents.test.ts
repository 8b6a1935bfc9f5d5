import { beforeEach, describe, expect, test } from 'vitest';
import { type Gate, modelResidents, type Residents } from '../../../src/inference/residency/residents.js';

/** What happened, in order. */
let events: string[];
/** Loads that have begun, by the name of the model: each ends when the test says so. */
let loads: Map<string, { end(): void; fail(error: Error): void }>;
let nowMs: number;
let residents: Residents;
let warnings: string[];
beforeEach(() => {
  events = [];
  loads = new Map();
  nowMs = 0;
  warnings = [];
  residents = modelResidents({
    memoryMax: 100,
    nowMs: () => nowMs,
    async sleep(ms) {
      events.push(`wait ${ms}`);
      nowMs += ms;
    },
    onWarning: (message) => warnings.push(message),
  });
});

interface Like {
  readonly bytes?: number;
  readonly isPinned?: boolean;
  readonly fileBytes?: number;
}

const model = (name: string, { bytes = 40, isPinned = false, fileBytes = bytes }: Like = {}): Gate =>
  residents.gate({
    ...{ name, isPinned, fileBytes },
    load: () =>
      new Promise((resolve, reject) => {
        events.push(`load ${name}`);
        loads.set(name, { end: () => resolve({ bytes, loadMs: 1 }), fail: reject });
      }),
    async unload() {
      events.push(`unload ${name}`);
    },
  });

/** Lets everything happen that needs no load to end. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Work that ends when the test says so. */
function work(name: string) {
  let end = () => {};
  const done = new Promise<string>((resolve) => {
    end = () => resolve(name);
  });
  const begin = () => {
    events.push(`begin ${name}`);
    return done;
  };
  return { begin, end };
}

const unexpected = () => expect.fail();

/** Uses a model once and waits for all of it; its load ends at once. */
async function use(gate: Gate, name: string): Promise<void> {
  const done = gate.hold(async () => {});
  await settle();
  loads.get(name)?.end();
  await done;
  events.length = 0;
}

describe('models in memory', () => {
  test('are loaded once, however many calls wait, and the calls begin in their order', async () => {
    const gate = model('a');
    const calls = [1, 2, 3].map((call) => gate.hold(async () => void events.push(`call ${call}`)));
    gate.afterWaiting(() => events.push('flush'));
    await settle();
    expect(events).toEqual(['load a']);
    loads.get('a')?.end();
    await Promise.all(calls);
    expect(events).toEqual(['load a', 'call 1', 'call 2', 'call 3', 'flush']);
    await gate.hold(async () => void events.push('call 4'));
    gate.afterWaiting(() => events.push('flush at once'));
    expect(events.slice(-2)).toEqual(['call 4', 'flush at once']);
    expect(gate.stats()).toEqual({ loads: 1, evictions: 0, loadMs: 0, residentBytes: 40 });
  });

  test('answer in the order of the calls, whether they waited or not', async () => {
    const gate = model('a');
    const order: number[] = [];
    const answer = Promise.resolve();
    const first = gate.hold(() => answer).then(() => order.push(1));
    await settle();
    loads.get('a')?.end();
    await first;
    const slow = work('slow');
    const calls = [gate.hold(slow.begin).then(() => order.push(2)), gate.hold(slow.begin).then(() => order.push(3))];
    slow.end();
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 3]);
  });

  test('are loaded one at a time', async () => {
    const [a, b] = [model('a'), model('b')];
    const calls = [a.hold(async () => {}), b.hold(async () => {})];
    await settle();
    expect(events).toEqual(['load a']);
    loads.get('a')?.end();
    await settle();
    expect(events).toEqual(['load a', 'load b']);
    loads.get('b')?.end();
    await Promise.all(calls);
  });

  test('leave when others need the memory, and come back', async () => {
    const [a, b, c] = [model('a'), model('b'), model('c')];
    await use(a, 'a');
    await use(b, 'b');
    await b.hold(async () => {});
    nowMs = 1_000;
    const call = c.hold(async () => {});
    await settle();
    expect(events).toEqual(['unload a', 'load c']);
    expect(a.stats()).toEqual({ loads: 1, evictions: 1, loadMs: 0, residentBytes: 0 });
    loads.get('c')?.end();
    await call;
    nowMs = 2_000;
    await use(a, 'a');
    expect(a.stats()).toMatchObject({ loads: 2, evictions: 1, residentBytes: 40 });
  });

  test('that are in use end their calls before they leave, and calls that come meanwhile wait until they are back', async () => {
    const [a, b] = [model('a', { bytes: 60 }), model('b', { bytes: 60 })];
    await use(a, 'a');
    nowMs = 1_000;
    const running = work('running');
    const first = a.hold(running.begin);
    const other = b.hold(async () => void events.push('other'));
    await settle();
    const late = a.hold(async () => void events.push('late'));
    await settle();
    expect(events).toEqual(['begin running']);
    running.end();
    expect(await first).toBe('running');
    await settle();
    expect(events).toEqual(['begin running', 'unload a', 'load b']);
    loads.get('b')?.end();
    await other;
    await settle();
    loads.get('a')?.end();
    await late;
    // The one that was just loaded stays for five times its load.
    expect(events.slice(3)).toEqual(['other', 'wait 5', 'unload b', 'load a', 'late']);
  });

  test('stay until all work has left that said it would', async () => {
    const [a, b] = [model('a', { bytes: 60 }), model('b', { bytes: 60 })];
    await use(a, 'a');
    nowMs = 1_000;
    for (const work of ['one', 'two']) a.enter(() => events.push(work), unexpected);
    expect(events).toEqual(['one', 'two']);
    const other = b.hold(async () => {});
    await settle();
    // Work that comes meanwhile is not begun: the model is about to leave.
    a.enter(() => events.push('late'), unexpected);
    a.leave();
    await settle();
    expect(events).toEqual(['one', 'two']);
    a.leave();
    await settle();
    expect(events).toEqual(['one', 'two', 'unload a', 'load b']);
    loads.get('b')?.end();
    await other;
    await settle();
    loads.get('a')?.end();
    await settle();
    expect(events.at(-1)).toBe('late');
  });

  test('tell work that waits why they cannot be loaded', async () => {
    const a = model('a');
    const causes: unknown[] = [];
    a.enter(unexpected, (cause) => causes.push(cause));
    await settle();
    loads.get('a')?.fail(new Error('no disk'));
    await settle();
    expect(causes).toEqual([new Error('no disk')]);
  });

  test('whose load fails reject the calls that wait, and are loaded again for the next', async () => {
    const [a, b] = [model('a'), model('b')];
    const calls = [a.hold(async () => {}), a.hold(async () => {})];
    const other = b.hold(async () => 'other');
    await settle();
    loads.get('a')?.fail(new Error('no disk'));
    for (const call of calls) await expect(call).rejects.toThrow('no disk');
    await settle();
    loads.get('b')?.end();
    expect(await other).toBe('other');
    const again = a.hold(async () => 'again');
    await settle();
    loads.get('a')?.end();
    expect(await again).toBe('again');
  });

  test('may take more than their files: others leave then', async () => {
    const [a, b] = [model('a', { bytes: 60, fileBytes: 10 }), model('b', { bytes: 60, fileBytes: 10 })];
    await use(a, 'a');
    nowMs = 1_000;
    const call = b.hold(async () => {});
    await settle();
    expect(events).toEqual(['load b']);
    loads.get('b')?.end();
    await call;
    expect(events).toEqual(['load b', 'unload a']);
  });

  test('may grow while they are open: others leave then, in their turn, and it comes back with all of it', async () => {
    const [a, b] = [model('a', { bytes: 50 }), model('b', { bytes: 40 })];
    await use(a, 'a');
    await use(b, 'b');
    nowMs = 1_000;
    const running = work('running');
    const call = a.hold(running.begin);
    await b.hold(async () => b.grow(30));
    await settle();
    // Who grows waits for nobody.
    expect(events).toEqual(['begin running']);
    running.end();
    await call;
    await residents.idle();
    expect(events).toEqual(['begin running', 'unload a']);
    expect(b.stats()).toMatchObject({ loads: 1, residentBytes: 70 });
    expect(warnings).toEqual([]);
    nowMs = 2_000;
    await use(a, 'a');
    expect(b.stats()).toMatchObject({ evictions: 1, residentBytes: 0 });
  });

  test('that grow beyond the limit are kept alone, with a warning', async () => {
    const [a, b] = [model('a', { bytes: 50 }), model('b', { bytes: 40 })];
    await use(a, 'a');
    await use(b, 'b');
    // Those that were just loaded may stay for a while.
    await b.hold(async () => b.grow(70));
    await residents.idle();
    expect(events).toEqual(['wait 5', 'unload a']);
    expect(warnings).toEqual([expect.stringMatching(/^the model takes 1 MiB: .* it is kept alone$/)]);
  });

  test('whose files are too large are refused', async () => {
    const large = model('large', { bytes: 120 });
    await expect(large.hold(async () => {})).rejects.toMatchObject({ code: 'model', where: 'large' });
    await expect(large.hold(async () => {})).rejects.toThrow(/the model takes 1 MiB: 1 MiB of memoryMax .* missing/);
    expect(events).toEqual([]);
  });

  test('that turn out to be too large are kept alone, with a warning', async () => {
    const [small, grown] = [model('small'), model('grown', { bytes: 120, fileBytes: 10 })];
    await use(small, 'small');
    nowMs = 1_000;
    await use(grown, 'grown');
    expect(warnings).toEqual([expect.stringMatching(/^the model takes 1 MiB: .* it is kept alone$/)]);
    nowMs = 2_000;
    await use(small, 'small');
    nowMs = 3_000;
    await use(grown, 'grown');
    expect(small.stats()).toMatchObject({ loads: 2, evictions: 2, residentBytes: 0 });
  });

  test('that are pinned stay', async () => {
    const [a, b, c] = [model('a', { isPinned: true }), model('b'), model('c')];
    await use(a, 'a');
    await use(b, 'b');
    for (let i = 0; i < 10; i++) await b.hold(async () => {});
    nowMs = 1_000;
    const call = c.hold(async () => {});
    await settle();
    expect(events).toEqual(['unload b', 'load c']);
    loads.get('c')?.end();
    await call;
    await residents.idle();
  });

  test('are not refused because a pinned one seemed to take all: its file says that it does not', async () => {
    const [a, b] = [model('a', { isPinned: true, bytes: 130, fileBytes: 30 }), model('b', { bytes: 20 })];
    await use(a, 'a');
    await use(b, 'b');
    expect(events).toEqual([]);
    const large = model('c', { bytes: 71 });
    await expect(large.hold(async () => {})).rejects.toMatchObject({ code: 'model' });
  });
});
