import { credibleJump, type EventClock, eventClock, furthest, observe } from '../../core/event-clock.js';
import {
  type Adds,
  type Cell,
  type CellSpecs,
  type Change,
  type MultiInputOperator,
  type Operator,
  type Problem,
  stateful,
} from '../../core/index.js';
import { type MapCell, mapCell, rescale, type ValueCell, valueCell } from '../../state/index.js';
import { choiceProblems } from '../option-values.js';
import type { Expectations } from './expectations.js';
import { type Rule, type Side, severities } from './rules/rules.js';

/**
 * Checks each record against expectations. Valid records pass unchanged; others go to the dead letters.
 *
 * @example
 * flights.via('validate', validate(expectations<FlightDeparted>().notNull('origin').range('distance', 1, 12_000)));
 * flights.via('known', { airports }, validate(expectations<FlightDeparted>().references('origin', 'airports', { keysMax: 10_000 })));
 *
 * The first broken rule decides, by its severity: `dead-letter` sends the record to the dead letters with the rule's reason, `stop` stops
 * the task with it, `warn` counts it and checks the next rule. Fields of `notNull` are not null in the type of the output. The tables of
 * `references` are further inputs: streams of changes, as `table` emits them.
 *
 * `fresh` and `unique` use stream time: the maximum event time so far, which is in the state. So a replay gives the same result, and a
 * stream that is a day behind is not stale because of that. A single record with an absurd time does not move it (see `observe`).
 *
 * Counters: `invalid` (records sent to the dead letters), `warned` (broken rules that only warn), `warned:RULE`. Dead letters: the reasons of the rules,
 * and `table-full` for a table with more than `keysMax` keys. Memory: a few numbers; for `unique` some 100 bytes per value, for
 * `references` the keys of the table, for `usual` three numbers or a window.
 */
export function validate<R, N extends keyof R>(expectations: Expectations<R, N>): Operator<R, NotNull<R, N>>;
export function validate<R, N extends keyof R, S extends string>(
  expectations: Expectations<R, N, S>,
): MultiInputOperator<R, { readonly [K in S]: Change<unknown> }, NotNull<R, N>>;
export function validate<R, N extends keyof R, S extends string>({
  rules,
}: Expectations<R, N, S>):
  | Operator<R, NotNull<R, N>>
  | MultiInputOperator<R, { readonly [K in S]: Change<unknown> }, NotNull<R, N>> {
  const horizons = rules.flatMap(({ horizon }) => (horizon === undefined ? [] : [horizon]));
  const jumpMs = horizons.length === 0 ? undefined : credibleJump(Math.max(...horizons));
  const sides = new Map(rules.flatMap(({ side }) => (side ? [[side.name, side] as const] : [])));
  return stateful<R, { readonly [K in S]: Change<unknown> }, NotNull<R, N>, CellSpecs>({
    kind: 'validate',
    settings: { rules: rules.map((rule) => rule.text).join(', ') },
    problems: problemsOf(rules),
    rules: rules.map(({ reason: name, severity, text }) => ({ name, severity, text })),
    inputs: [...sides.keys()] as S[],
    cells: {
      clock: rescale.merged(valueCell({ initial: eventClock() }), furthest),
      ...Object.fromEntries(rules.flatMap((rule) => (rule.cell ? [[cellOf(rule), rule.cell]] : []))),
      ...Object.fromEntries(
        [...sides.keys()].map((name, i) => [tableOf(name), rescale.byKey(mapCell<string, true>(), i + 1)]),
      ),
    },
    open(cells, context) {
      const clock = cells.clock as ValueCell<EventClock>;
      const checks = rules.map((rule) => rule.open(cells[rule.side ? tableOf(rule.side.name) : cellOf(rule)] as Cell));
      const remembering = checks.filter(({ passed }) => passed);
      const tables = [...sides.values()].map((side) => {
        const keys = cells[tableOf(side.name)] as MapCell<string, true>;
        return (change: Change<unknown>) => {
          if (!keep(keys, change, side)) context.deadLetter('table-full', `${side.keysMax} keys are there already`);
        };
      });
      const invalid = context.counter('invalid');
      const warned = context.counter('warned');
      const warnedBy = rules.map(({ severity, reason }) =>
        severity === 'warn' ? context.counter(`warned:${reason}`) : undefined,
      );
      return {
        onRecord(input, value, emit, origin) {
          if (input > 0) {
            tables[input - 1]?.(value as Change<unknown>);
            return;
          }
          let nowMs = 0;
          if (jumpMs !== undefined) {
            const now = clock.get();
            nowMs = observe(now, origin.eventTimeMs, jumpMs);
            clock.set(now);
          }
          for (let i = 0; i < checks.length; i++) {
            const check = checks[i] as (typeof checks)[number];
            if (check.holds(value, nowMs)) continue;
            const { severity, reason } = rules[i] as Rule;
            if (severity === 'warn') {
              warned.add();
              warnedBy[i]?.add();
              continue;
            }
            const detail = check.detail(value, nowMs);
            if (severity === 'stop')
              context.fail(`${reason}: ${detail}`, 'correct the input, or give this rule the severity dead-letter');
            invalid.add();
            context.deadLetter(reason, detail);
            return;
          }
          for (const check of remembering) check.passed?.(value, nowMs);
          emit(value as never);
        },
      };
    },
  });
}

type NotNull<R, N extends keyof R> = Adds<{ readonly [K in N]: NonNullable<R[K]> }>;

const cellOf = ({ reason }: Rule): string => reason.replace(':', '-');
const tableOf = (side: string): string => `table-${side}`;

/** Takes a change of a table over; `false` where there is no room for one more key. */
function keep(keys: MapCell<string, true>, { key, after }: Change<unknown>, { keysMax }: Side): boolean {
  if (after === null) keys.delete(key);
  else if (!keys.has(key)) {
    if (keys.size >= keysMax) return false;
    keys.set(key, true);
  }
  return true;
}

function problemsOf(rules: readonly Rule[]): Problem[] {
  const problems = rules.flatMap(({ reason, severity, problems: own = [] }) => [
    ...own,
    ...choiceProblems(`${reason}: the severity`, severity, severities),
  ]);
  if (rules.length === 0) problems.push({ message: 'no rule to validate by', hint: 'add one, such as .notNull(...)' });
  for (const [i, { reason, cell, side }] of rules.entries()) {
    const before = rules.slice(0, i);
    if (cell && before.some((other) => other.cell && other.reason === reason))
      problems.push({
        message: `${reason} is declared twice`,
        hint: 'declare it once: the fields of a stateful rule identify its state',
      });
    if (side && before.some((other) => other.side?.name === side.name && other.side.keysMax !== side.keysMax))
      problems.push({
        message: `${side.name} has two bounds`,
        hint: 'give each reference to a table the same keysMax',
      });
  }
  return problems;
}
