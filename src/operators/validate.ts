import { type Adds, type Operator, type Problem, stateful } from '../core/index.js';
import { valueCell } from '../state/index.js';
import { credibleJump, eventClock, observe } from './event-clock.js';
import type { Expectations, Rule } from './expectations.js';

/**
 * Checks each record against expectations and passes on, unchanged, those that meet them.
 *
 * @example
 * flights.via('validate', validate(expectations<FlightDeparted>().notNull('origin').range('distance', 1, 12_000)));
 *
 * The first broken rule decides: `dead-letter` sends the record to the dead letters with the rule's reason, `stop`
 * stops the task with it, `warn` counts and goes on to the next rule. Fields under `notNull` are not null in the stream's type
 * from here on.
 *
 * Age (`fresh`) is measured against the greatest event time among the records so far, which lies in the step's
 * state: a replay decides alike, and a stream that is a day behind is not stale by that alone. A single record with
 * an absurd time does not move it (see `observe`).
 *
 * Counters: `invalid` (records sent to the dead letters), `warned` (broken rules that only warn). Memory: a few numbers.
 */
export function validate<R, N extends keyof R>(
  expectations: Expectations<R, N>,
): Operator<R, Adds<{ readonly [K in N]: NonNullable<R[K]> }>> {
  const { rules } = expectations;
  const ages = rules.flatMap((rule) => (rule.maxAge === undefined ? [] : [rule.maxAge]));
  const jumpMs = ages.length === 0 ? undefined : credibleJump(Math.max(...ages));
  return stateful({
    kind: 'validate',
    settings: { rules: rules.map((rule) => rule.text).join(', ') },
    problems: problemsOf(rules),
    cells: { clock: valueCell({ initial: eventClock() }) },
    open({ clock }, context) {
      const invalid = context.counter('invalid');
      const warned = context.counter('warned');
      return {
        onRecord(_input, value: R, emit, origin) {
          let nowMs = 0;
          if (jumpMs !== undefined) {
            const now = clock.get();
            nowMs = observe(now, origin.eventTimeMs, jumpMs);
            clock.set(now);
          }
          for (let i = 0; i < rules.length; i++) {
            const rule = rules[i] as Rule;
            if (rule.holds(value, nowMs)) continue;
            if (rule.severity === 'warn') {
              warned.add();
              continue;
            }
            const detail = rule.detail(value, nowMs);
            if (rule.severity === 'stop')
              context.fail(
                `${rule.reason}: ${detail}`,
                'correct the input, or give this rule the severity dead-letter',
              );
            invalid.add();
            context.deadLetter(rule.reason, detail);
            return;
          }
          emit(value as never);
        },
      };
    },
  });
}

function problemsOf(rules: readonly Rule[]): Problem[] {
  const problems: Problem[] = [];
  if (rules.length === 0) problems.push({ message: 'no rule to validate by', hint: 'add one, such as .notNull(...)' });
  for (const { maxAge } of rules)
    if (maxAge !== undefined && !(maxAge > 0))
      problems.push({
        message: `a record is stale at an age of ${maxAge} ms`,
        hint: 'give `fresh` a positive duration',
      });
  return problems;
}
