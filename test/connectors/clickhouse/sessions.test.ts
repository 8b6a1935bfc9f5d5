import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Sessions } from '../../../connectors/clickhouse/table/sessions.js';

/** Work that ends when it is told to. */
function work() {
  let end = () => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { done, end };
}

describe('sessions', () => {
  it('are lent to one piece of work at a time, the next one in order of asking, also after a failure', async () => {
    const sessions = new Sessions(['a']);
    const [first, second] = [work(), work()];
    const used: string[] = [];
    const failing = sessions.use(async (session) => {
      used.push(`first ${session}`);
      await first.done;
      throw new Error('broken');
    });
    const next = sessions.use(async (session) => {
      used.push(`second ${session}`);
      await second.done;
      return 2;
    });
    const last = sessions.use(async (session) => used.push(`third ${session}`));
    await nextTurn();
    expect(used).toEqual(['first a']);
    first.end();
    await expect(failing).rejects.toThrow('broken');
    await nextTurn();
    expect(used).toEqual(['first a', 'second a']);
    second.end();
    expect([await next, await last, used.at(-1)]).toEqual([2, 3, 'third a']);
  });

  it('are drained when all are returned, and lent to nobody afterwards', async () => {
    const sessions = new Sessions(['a', 'b']);
    const { done, end } = work();
    const using = sessions.use(() => done);
    let drained: readonly string[] | undefined;
    const draining = sessions.drain().then((all) => {
      drained = all;
    });
    let isLate = true;
    void sessions.use(async () => {
      isLate = false;
    });
    await nextTurn();
    expect(drained).toBeUndefined();
    end();
    await Promise.all([using, draining]);
    await nextTurn();
    expect([drained, isLate]).toEqual([['a', 'b'], true]);
  });
});
