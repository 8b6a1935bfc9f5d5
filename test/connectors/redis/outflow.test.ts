import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Outflow, PIECE_MAX } from '../../../connectors/redis/outflow.js';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function open(fails: (piece: readonly number[]) => boolean = () => false) {
  const events: string[] = [];
  const sent: number[] = [];
  const out = new Outflow<number, readonly number[]>(
    (waiting) => {
      events.push('ready');
      return waiting.splice(0, PIECE_MAX);
    },
    async (piece) => {
      events.push('sent');
      await sleep(2);
      if (fails(piece)) throw new Error('refused');
      sent.push(...piece);
      events.push('done');
    },
  );
  return { out, events, sent };
}

describe('Outflow', () => {
  it('makes the next full piece ready while one is under way, and sends it behind that one', async () => {
    const { out, events, sent } = open();
    out.put(range(0, 2 * PIECE_MAX));
    await out.flush();
    expect(events).toEqual(['ready', 'sent', 'ready', 'done', 'sent', 'done']);
    expect(sent).toEqual(range(0, 2 * PIECE_MAX));
  });

  it('lets what is no full piece wait for company', async () => {
    const { out, events } = open();
    for (const n of range(0, 10)) out.put([n]);
    await sleep(0);
    for (const n of range(10, 20)) out.put([n]);
    await out.flush();
    expect(events.filter((event) => event === 'sent').length).toBeLessThanOrEqual(2);
  });

  it('sends nothing behind a piece that failed, and tells of it for good', async () => {
    const { out, events, sent } = open((piece) => piece[0] === PIECE_MAX);
    out.put(range(0, 4 * PIECE_MAX));
    await expect(out.flush()).rejects.toThrow('refused');
    await expect(out.flush()).rejects.toThrow('refused');
    expect(() => out.put([0])).toThrow('refused');
    expect(sent).toEqual(range(0, PIECE_MAX));
    expect(events.filter((event) => event === 'sent')).toHaveLength(2);
  });

  it('gives up what waits when it is closed, what is ready too', async () => {
    const { out, sent } = open();
    out.put(range(0, 3 * PIECE_MAX));
    await sleep(0);
    await out.close();
    expect(sent).toEqual(range(0, PIECE_MAX));
  });

  it('asks to wait when much is waiting, and not otherwise', async () => {
    const { out } = open();
    expect(out.put(range(0, 8 * PIECE_MAX))).toBeUndefined();
    expect(out.put(range(0, 2 * PIECE_MAX))).toBeInstanceOf(Promise);
    await out.flush();
    expect(out.put([])).toBeUndefined();
  });
});
