import type { Measurement } from '../runtime/index.js';
import type { Topology } from '../topology/index.js';

/** What became of a rule of `validate`, `validateWindows` or `quarantine`. */
export interface QualityFigures {
  readonly step: string;
  /** The reason of its dead letters. */
  readonly rule: string;
  /** The rule with its limits: no two of a step are the same. */
  readonly text: string;
  readonly severity: string;
  /** Records of the step, or windows that it judged. */
  readonly checked: number;
  /** What broke the rule: of records those for which it was the first. */
  readonly failed: number;
  /** Those of them that are dead letters, with the rule as their reason. */
  readonly deadLetters: number;
  /** The newest window that was judged; `null` for rules of records. */
  readonly verdict: Verdict | null;
}

interface Verdict {
  readonly held: boolean;
  /** `null` where there was nothing to judge. */
  readonly observed: number | null;
  readonly endMs: number;
}

/** By step and name of a counter: over all tasks. */
type Counters = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** The rules of a topology, in its order, as the tasks of a process have counted and judged them. */
export function qualityOf(
  topology: Topology,
): (counters: Counters, measured: readonly Measurement[]) => QualityFigures[] {
  const rules = topology.steps.flatMap(({ id, rules: ofStep }) => ofStep.map((rule) => ({ step: id, ...rule })));
  return (counters, measured) => {
    if (rules.length === 0) return [];
    const verdicts = verdictsIn(measured);
    return rules.map(({ step, name, severity, text }) => {
      const count = (counter: string): number => counters.get(step)?.get(counter) ?? 0;
      const deadLetters = severity === 'dead-letter' ? count(`dead:${name}`) : 0;
      return {
        ...{ step, rule: name, text, severity },
        checked: counters.get(step)?.get('judged') ?? count('in'),
        failed: deadLetters + count(`broken:${name}`) + (severity === 'warn' ? count(`warned:${name}`) : 0),
        deadLetters,
        verdict: verdicts.get(`${step}\0${name}`) ?? null,
      };
    });
  };
}

const VERDICT = 'verdict:';
const OBSERVED = 'observed:';

/** By step and rule, the newest verdict over all tasks and keys. */
function verdictsIn(measured: readonly Measurement[]): ReadonlyMap<string, Verdict> {
  const windowOf = ({ step, task, slice, eventTimeMs }: Measurement['row'], rule: string): string =>
    [step, rule, task, slice, eventTimeMs].join('\0');
  const rows = measured.map(({ row }) => row);
  const observed = new Map(
    rows.flatMap((row) =>
      row.name.startsWith(OBSERVED) ? [[windowOf(row, row.name.slice(OBSERVED.length)), row.value] as const] : [],
    ),
  );
  const newest = new Map<string, Verdict>();
  for (const row of rows) {
    if (!row.name.startsWith(VERDICT)) continue;
    const rule = row.name.slice(VERDICT.length);
    const key = `${row.step}\0${rule}`;
    const verdict = {
      held: row.value === 1,
      observed: observed.get(windowOf(row, rule)) ?? null,
      endMs: row.eventTimeMs,
    };
    const known = newest.get(key);
    newest.set(key, known ? newestVerdict(known, verdict) : verdict);
  }
  return newest;
}

/** The newer one; of the same window the one that failed. */
const newestVerdict = (a: Verdict, b: Verdict): Verdict =>
  b.endMs > a.endMs || (b.endMs === a.endMs && !b.held) ? b : a;

/** Figures of the same rule in two processes. */
export const mergedQuality = (a: QualityFigures, b: QualityFigures): QualityFigures => ({
  ...a,
  checked: a.checked + b.checked,
  failed: a.failed + b.failed,
  deadLetters: a.deadLetters + b.deadLetters,
  verdict: a.verdict && b.verdict ? newestVerdict(a.verdict, b.verdict) : (a.verdict ?? b.verdict),
});
