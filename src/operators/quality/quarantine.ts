import { type Adds, type MultiInputOperator, type Problem, stateful } from '../../core/index.js';
import { mapCell, rescale } from '../../state/index.js';
import { optionProblems } from '../options.js';
import type { WindowVerdict } from './validate-windows.js';

/** Whose windows `quarantine` goes by, and how many keys it holds back. */
export interface QuarantineOptions<T> {
  /** The key of the verdicts, as in `validateWindows`. */
  readonly key?: (value: T) => string | null | undefined;
  /** Maximum number of keys in quarantine; 1 without `key`. */
  readonly keysMax?: number;
}

/** Expectations that did not hold in the newest window judged, each with the start of that window. */
type Broken = Record<string, number>;

/**
 * Sends records to the dead letters while the newest window failed an expectation, until a later window meets it.
 *
 * @example
 * const verdicts = trips.via('quality', validateWindows({ window: tumbling(minutes(5)), expect: tripsAsExpected }));
 * const good = trips.via('gate', { verdicts }, quarantine());
 *
 * Only expectations with the severity `divert` count. A window is checked when it closes, so its own records have passed; the records after
 * it are diverted. `millrace dlq replay` sends them again. If windows are checked per key, give both operators the same `key`.
 *
 * Counter: `quarantined`. Dead letters: `quarantined`; `too-many-keys` for verdicts of more than `keysMax` keys. Memory: the failed
 * expectations of each key.
 */
export function quarantine<T>(
  options: QuarantineOptions<T> = {},
): MultiInputOperator<T, { verdicts: WindowVerdict }, Adds<unknown>> {
  const { key, keysMax = key ? 0 : 1 } = options;
  const problem: Problem = {
    message: `keysMax is ${keysMax}`,
    hint: 'with `key`, give the number of keys that may be held back',
  };
  return stateful<T, { verdicts: WindowVerdict }, Adds<unknown>, { readonly broken: ReturnType<typeof brokenCell> }>({
    kind: 'quarantine',
    settings: { keysMax },
    problems: [...optionProblems('quarantine', options), ...(keysMax >= 1 ? [] : [problem])],
    inputs: ['verdicts'],
    rules: [{ name: 'quarantined', severity: 'dead-letter', text: 'no window failed' }],
    cells: { broken: brokenCell() },
    open({ broken }, context) {
      const quarantined = context.counter('quarantined');
      const note = ({ key: of, expectation, startMs, success }: WindowVerdict): void => {
        const held = broken.get(of);
        if (success && held?.[expectation] === undefined) return;
        const { [expectation]: _, ...others } = held ?? {};
        if (!success) {
          if (!held && broken.size >= keysMax) context.deadLetter('too-many-keys', `${of} cannot be held back as well`);
          else broken.set(of, { ...others, [expectation]: startMs });
        } else if (Object.keys(others).length === 0) broken.delete(of);
        else broken.set(of, others);
      };
      return {
        onRecord(input, value, emit) {
          if (input === 1) {
            const verdict = value as WindowVerdict;
            if (verdict.severity === 'divert') note(verdict);
            return;
          }
          const of = key ? key(value as T) : '';
          const held = of === null || of === undefined ? undefined : broken.get(of);
          if (!held) return emit(value as never);
          quarantined.add();
          const reasons = Object.entries(held).map(([expectation, startMs]) => `${expectation} since ${startMs}`);
          context.deadLetter('quarantined', reasons.join(', '));
        },
      };
    },
  });
}

const brokenCell = () => rescale.byKey(mapCell<string, Broken>(), 1);
