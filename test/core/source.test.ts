import { describe, expect, it } from 'vitest';
import { readerAround, type SourceReader } from '../../src/core/index.js';

describe('readerAround', () => {
  const told: string[] = [];
  /** As connectors have it: a class, whose methods are no properties of its own. */
  class Reader implements SourceReader {
    behind = true;
    get isBehind() {
      return this.behind;
    }
    async poll(recordsMax: number) {
      told.push(`poll ${recordsMax}`);
      return { records: [], ended: this.behind };
    }
    release(offset: number) {
      told.push(`release ${offset}`);
    }
    sourceStateOf(offset: number) {
      return { at: offset, behind: this.behind };
    }
    async close() {
      told.push('close');
    }
  }

  it('does everything as the reader within, but what it says itself', async () => {
    const reader = new Reader();
    const around = readerAround(reader, { close: async () => void told.push('own close') });
    expect(await around.poll(3)).toEqual({ records: [], ended: true });
    around.release?.(5);
    await around.close();
    expect(told).toEqual(['poll 3', 'release 5', 'own close']);
    expect(around.sourceStateOf?.(7)).toEqual({ at: 7, behind: true });
    expect(around.isBehind).toBe(true);
    reader.behind = false;
    expect(around.isBehind).toBe(false);
  });

  it('takes what a reader lacks for what its contract says of that', () => {
    const plain = { poll: async () => ({ records: [], ended: true }), close: async () => undefined };
    const around = readerAround(plain, {});
    expect(around.isBehind).toBe(false);
    expect(around.sourceStateOf?.(1)).toBeUndefined();
    expect(around.release?.(1)).toBeUndefined();
  });
});
