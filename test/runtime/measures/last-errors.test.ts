import { expect, it } from 'vitest';
import { asReadBy, noRecord } from '../../../src/core/index.js';
import { LastErrors } from '../../../src/runtime/measures/last-errors.js';

it('keeps the newest five of each step, with the place of the record and nothing that is in it', () => {
  const errors = new LastErrors();
  const letter = (step: string, offset: number) => ({
    ...{ step, reason: 'range:amount', detail: 'card 4711 is too large' },
    origin: { ...noRecord('payments'), offset, key: new TextEncoder().encode('card 4711') },
  });
  errors.note([letter('check', 1)], 10);
  errors.note(
    Array.from({ length: 1_000 }, (_, i) => letter('check', 100 + i)),
    20,
  );
  errors.note([letter('match', 7)], 30);
  expect(
    errors
      .byStep()
      .get('check')
      ?.map(({ place }) => place),
  ).toEqual([1_095, 1_096, 1_097, 1_098, 1_099].map((offset) => `payments/0/${offset}`));
  expect(errors.byStep().get('match')).toEqual([{ atMs: 30, reason: 'range:amount', place: 'payments/0/7' }]);
  expect(JSON.stringify([...errors.byStep()])).not.toContain('4711');

  const { origin } = letter('check', 3);
  errors.note([{ ...letter('table', 3), origin: asReadBy(5, origin) }], 40);
  expect(errors.byStep().get('table')?.[0]?.place).toBe('payments/0/3'); // in the log, not as the task reads it
});
