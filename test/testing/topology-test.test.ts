import { expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { filter, json, topology } from '../../src/index.js';
import { TopologyTest } from '../../src/testing.js';
import { noInference } from '../memory.js';

const numbers = topology('numbers', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('all', kafka.source({ topic: 'all', schema: json<number>() }))
    .via(
      'odd',
      filter((n) => n % 2 === 1),
    )
    .to('out', kafka.sink({ topic: 'out', schema: json() }));
});
const inference = noInference;
const config = (message: string) => expect.objectContaining({ code: 'config', message });

it('names a partition that is not there, where values would be lost', async () => {
  const test = new TopologyTest(numbers, { partitions: 2, inference });
  await test.pipe('all', [1], 1);
  await expect(test.pipe('all', [1], 2)).rejects.toEqual(config('there is no partition 2'));
  expect(() => test.pipeRaw('all', [null], -1)).toThrow(config('there is no partition -1'));
  await test.run();
  expect(test.output('out')).toEqual([1]);
});

it.each([0, 1.5, Number.NaN])('has at least one partition, not %d', (partitions) => {
  expect(() => new TopologyTest(numbers, { partitions, inference })).toThrow(config(`partitions is ${partitions}`));
});

it('names a lookup of no step', () => {
  const lookups = { evn: () => null };
  expect(() => new TopologyTest(numbers, { lookups, inference })).toThrow(config("the topology has no step 'evn'"));
});

it('names a step that is not there, instead of counting nothing', async () => {
  const test = new TopologyTest(numbers, { inference });
  await test.pipe('all', [1, 2, 3]);
  await test.run();
  expect(() => test.counter('ood', 'out')).toThrow(config("the topology has no step 'ood'"));
  expect([test.counter('all', 'read'), test.counter('odd', 'out'), test.counter('odd', 'never')]).toEqual([3, 2, 0]);
});
