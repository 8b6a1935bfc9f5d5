import { pushAll } from '../../../util/arrays.js';
import { card } from './cards.js';
import { email, ip, phone } from './contacts.js';
import { folded } from './folded.js';
import { iban } from './iban.js';
import { brCpf, esDni, frNir, gbNino, plPesel, usSsn } from './national-ids.js';
import { countDigits, type Detector, type Span } from './span.js';

/** Kinds of personal data. Where two claim the same characters, the one that stands first here has them. */
const detectors = {
  email,
  iban,
  'fr-nir': frNir, // before cards: a few of its groups may be one
  card,
  'us-ssn': usSsn,
  'br-cpf': brCpf,
  'pl-pesel': plPesel,
  'es-dni': esDni,
  'gb-nino': gbNino,
  ip,
  phone,
} satisfies Readonly<Record<string, Detector>>;

/** A kind of personal data that `maskPii` finds. */
export type PiiKind = keyof typeof detectors;

export const piiKinds = Object.keys(detectors) as readonly PiiKind[];
export const detectorOf = (kind: PiiKind): Detector => detectors[kind];

export interface Finding extends Span {
  readonly kind: PiiKind;
  /** In plain spelling: ASCII digits, nothing invisible. */
  readonly plain: string;
}

type Found = Omit<Finding, 'plain'>;

/**
 * All that is found of these kinds, in the order of the text; no two overlap. A weaker kind is sought in what stronger ones leave.
 * `undefined` where it is more than `findingsMax`.
 */
export function findPii(
  original: string,
  kinds: readonly PiiKind[],
  findingsMax = Number.POSITIVE_INFINITY,
): readonly Finding[] | undefined {
  const { text, originOf } = folded(original);
  return findPlain(text, kinds, findingsMax)?.map(({ kind, start, end }) => ({
    kind,
    plain: text.slice(start, end),
    ...originOf(start, end),
  }));
}

function findPlain(text: string, kinds: readonly PiiKind[], findingsMax: number): readonly Found[] | undefined {
  const findings: Found[] = [];
  const digits = countDigits(text);
  for (const kind of piiKinds) {
    if (!kinds.includes(kind) || digits < detectors[kind].digitsMin) continue;
    for (const gap of gapsIn(text, findings)) {
      const found = findIn(text, gap, kind, findingsMax - findings.length);
      if (found === undefined) return undefined;
      pushAll(findings, found);
    }
    findings.sort((a, b) => a.start - b.start);
  }
  return findings;
}

/** What lies between findings. */
function gapsIn(text: string, findings: readonly Span[]): readonly Span[] {
  const ends = [0, ...findings.map(({ end }) => end)];
  return ends.map((start, i) => ({ start, end: findings[i]?.start ?? text.length }));
}

function findIn(text: string, gap: Span, kind: PiiKind, most: number): readonly Found[] | undefined {
  const spans: Span[] = [];
  for (const span of detectors[kind].find(text.slice(gap.start, gap.end))) {
    if (spans.length === 2 * most) return undefined; // two forms of one kind may claim the same
    spans.push(span);
  }
  const found: Found[] = [];
  let from = gap.start;
  for (const { start, end } of spans.sort((a, b) => a.start - b.start)) {
    if (gap.start + start < from) continue;
    from = gap.start + end;
    found.push({ kind, start: gap.start + start, end: from });
  }
  return found.length > most ? undefined : found;
}
