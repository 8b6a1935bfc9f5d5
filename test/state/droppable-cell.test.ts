import { describe, expect, it } from 'vitest';
import { droppable, float64Cell } from '../../src/state/index.js';

const spec = droppable(float64Cell({ size: 600, version: 3 }));
const buckets = (changes: readonly { bucket: number; bytes: Uint8Array | null }[]) =>
  changes.map(({ bucket, bytes }) => [bucket, bytes === null ? 'deleted' : 'written']);

describe('a droppable cell', () => {
  it('is its content until it is dropped, and then deletes what is stored of it', () => {
    const cell = spec.open();
    expect([spec.kind, spec.version, cell.isOpen, cell.changedBytes]).toEqual(['float64', 3, false, 0]);
    cell.content.values[300] = 7;
    cell.content.touch(300);
    expect(cell.changedBytes).toBe(cell.content.changedBytes);
    const written = cell.takeChanges();
    expect(buckets(written)).toEqual([[1, 'written']]);
    cell.content.touch(0);
    cell.drop();
    expect([cell.isOpen, cell.changedBytes]).toEqual([false, 0]);
    expect(buckets(cell.takeChanges())).toEqual([[1, 'deleted']]); // block 0 was never stored
    expect(cell.takeChanges()).toEqual([]);
  });

  it('deletes after a restore, too, what it was restored from', () => {
    const first = spec.open();
    for (const at of [0, 599]) first.content.touch(at);
    const again = spec.open();
    for (const { bucket, bytes } of first.takeChanges()) if (bytes) again.restore(bucket, bytes, 3);
    expect(again.isOpen).toBe(true);
    again.drop();
    expect(buckets(again.takeChanges())).toEqual([
      [0, 'deleted'],
      [2, 'deleted'],
    ]);
  });

  it('begins anew where its content is asked for after a drop', () => {
    const cell = spec.open();
    for (const at of [0, 599]) cell.content.touch(at);
    cell.content.values[0] = 5;
    cell.takeChanges();
    cell.drop();
    expect(cell.content.values[0]).toBe(0);
    cell.content.values[599] = 7;
    cell.content.touch(599);
    const changes = cell.takeChanges();
    expect(buckets(changes)).toEqual([
      [0, 'deleted'],
      [2, 'written'],
    ]);
    expect(cell.takeChanges()).toEqual([]);
    const again = spec.open();
    for (const { bucket, bytes } of changes) if (bytes) again.restore(bucket, bytes, 3);
    expect(again.content.values).toEqual(cell.content.values);
    cell.drop();
    expect(buckets(cell.takeChanges())).toEqual([[2, 'deleted']]);
  });

  it('takes no memory where it is dropped before it was used', () => {
    const cell = spec.open();
    cell.drop();
    expect([cell.isOpen, cell.takeChanges(), cell.catchUp?.()]).toEqual([false, [], false]);
  });
});
