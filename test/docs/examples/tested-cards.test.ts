import { expect, it } from 'vitest';
import { TopologyTest } from '../../../src/testing.js';
import { check, describe } from '../../../src/topology/index.js';
import { testedCards } from './tested-cards.js';

const minute = 60_000;
const charge = (card: string, atMinute: number, amount: number) => ({
  kind: 'charge',
  card,
  at: atMinute * minute,
  amount,
});
const login = (card: string, atMinute: number) => ({ kind: 'login', card, at: atMinute * minute });

it('the patterns of the guide find what they promise', async () => {
  expect(check(testedCards)).toEqual([]);
  const test = new TopologyTest(testedCards);
  await test.pipe('events', [
    charge('stolen', 0, 1),
    charge('owned', 0, 1),
    charge('slow', 0, 1),
    charge('stolen', 2, 0.5),
    login('owned', 2.5),
    charge('stolen', 4, 900),
    charge('owned', 4, 900),
    charge('owned', 3.5, 1), // half a minute late, before the 900 and after the login
    charge('slow', 11, 900),
  ]);
  await test.run();
  // What goes on from one run to the next lies in the checkpoint.
  await test.pipe('events', [charge('slow', 12, 1), charge('slow', 13, 900)]);
  await test.finish();
  expect(test.output('alerts')).toEqual([
    { card: 'stolen', startMs: 0, tried: 1, spent: 900 },
    { card: 'owned', startMs: 3.5 * minute, tried: 1, spent: 900 },
    { card: 'slow', startMs: 12 * minute, tried: 1, spent: 900 },
  ]);
  expect(test.deadLetters()).toEqual([]);
  await test.close();
  expect(describe(testedCards)).toContain('pattern="small, not followed by login, followed by large"');
});
