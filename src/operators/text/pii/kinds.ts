import { pushAll } from '../../../util/arrays.js';
import { card } from './cards.js';
import { email, ip, phone } from './contacts.js';
import { folded } from './folded.js';
import { iban } from './iban.js';
import { brCpf, esDni, frNir, gbNino, plPesel, usSsn } from './national-ids.js';
import type { Detector, Span } from './span.js';

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

/** All that is found of these kinds, in the order of the text; no two overlap. A weaker kind is sought in what stronger ones leave. */
export function findPii(original: string, kinds: readonly PiiKind[]): readonly Finding[] {
  const { text, originOf } = folded(original);
  return findPlain(text, kinds).map(({ kind, start, end }) => ({
    kind,
    plain: text.slice(start, end),
    ...originOf(start, end),
  }));
}

function findPlain(text: string, kinds: readonly PiiKind[]): readonly Found[] {
  const findings: Found[] = [];
  for (const kind of piiKinds) {
    if (!kinds.includes(kind) || !detectors[kind].mayBeIn(text)) continue;
    for (const gap of gapsIn(text, findings)) pushAll(findings, findIn(text, gap, kind));
    findings.sort((a, b) => a.start - b.start);
  }
  return findings;
}

/** What lies between findings. */
function gapsIn(text: string, findings: readonly Span[]): readonly Span[] {
  const ends = [0, ...findings.map(({ end }) => end)];
  return ends.map((start, i) => ({ start, end: findings[i]?.start ?? text.length }));
}

function* findIn(text: string, gap: Span, kind: PiiKind): Iterable<Found> {
  let from = gap.start;
  const found = [...detectors[kind].find(text.slice(gap.start, gap.end))].sort((a, b) => a.start - b.start);
  for (const { start, end } of found) {
    if (gap.start + start < from) continue; // two forms of one kind claim it
    from = gap.start + end;
    yield { kind, start: gap.start + start, end: from };
  }
}
