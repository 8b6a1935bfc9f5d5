import { expect, it } from 'vitest';
import { clockFinding } from '../../src/connect/clock-finding.js';

it.each([
  // The server read its clock somewhere between the question and the answer.
  [10_500, 'fine', 'its clock agrees'],
  [9_000, 'fine', 'its clock agrees'],
  [12_000, 'fine', 'its clock agrees'],
  [8_900, 'warning', 'its clock is 1 s behind the clock here'],
  [7_000, 'warning', 'its clock is 3 s behind the clock here'],
  [20_000, 'warning', 'its clock is 9 s ahead of the clock here'],
  [3_612_000, 'problem', 'its clock is 3601 s ahead of the clock here'],
  [-3_600_000, 'problem', 'its clock is 3610 s behind the clock here'],
])('a clock at %d, asked between 10,000 and 11,000', (serverMs, state, said) => {
  expect(clockFinding('a server', serverMs, 10_000, 11_000)).toMatchObject({ of: 'a server', state, said });
});
