import { expect, it } from 'vitest';
import { deadLettersKind, sinkKind } from '../../../connectors/kafka/kinds.js';

const isolation = { id: 'check', run: 'reference', partitions: { 'out.v1': 6 } };

it('a verification writes to a topic of its own, which it creates like the one it stands for', () => {
  const options = { topic: 'out.v1', partitions: 2, create: false } as never;
  expect(sinkKind.verify.called(options)).toBe('out.v1');
  expect(sinkKind.verify.isolate(options, isolation as never)).toMatchObject({
    ...{ topic: 'check.reference.out.v1', partitions: 6 },
    ...{ create: true, nameOrigin: true, onMismatch: 'ignore' },
  });
  expect(deadLettersKind.verify.isolate({ topic: 'dead' } as never, isolation as never)).toEqual({
    topic: 'check.reference.dead',
  });
});
