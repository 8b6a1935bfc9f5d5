import { expect, it } from 'vitest';
import { holderText, StableOffsetWatch } from '../../../connectors/kafka/open-transactions.js';

it('reports a last stable offset that stands still before the end, once for each offset', () => {
  const reported: (readonly [number, number, number])[] = [];
  let nowMs = 0;
  const watch = new StableOffsetWatch(60_000, (stable, end) => reported.push([stable, end, nowMs]));
  const at = (timeMs: number, stable: number, end: number) => {
    nowMs = timeMs;
    watch.note(stable, end, timeMs);
  };
  at(0, 10, 10); // nothing is open
  at(100_000, 10, 20);
  at(159_999, 10, 25);
  expect(reported).toEqual([]);
  at(160_000, 10, 30);
  at(300_000, 10, 40);
  at(300_001, 35, 40); // another transaction holds it from here on
  at(360_000, 35, 41);
  at(360_001, 35, 42);
  at(360_002, 42, 42);
  expect(reported).toEqual([
    [10, 30, 160_000],
    [35, 42, 360_001],
  ]);
});

it('says who holds a partition, until when, and the command that ends it', () => {
  const broker = { host: 'broker-1', port: 9092 };
  const holding = { producerId: 4_001n, producerEpoch: 2, startOffset: 10 };
  const abort =
    'kafka-transactions.sh --bootstrap-server broker-1:9092 abort --topic in --partition 3 --start-offset 10';
  expect(holderText(holding, 'in', 3, broker)).toBe(
    `the open transaction of producer id 4001 (epoch 2) holds it; no coordinator knows it, so it must be ended: ${abort}`,
  );
  const known = { transactionalId: 'loader', startedMs: 0, timeoutMs: 60_000 };
  expect(holderText({ ...holding, known }, 'in', 3, broker)).toBe(
    `the open transaction of producer id 4001 (epoch 2) holds it, transactional id 'loader'; it ends with its producer, or by timeout at 1970-01-01T00:01:00.000Z, or by: ${abort}`,
  );
});
