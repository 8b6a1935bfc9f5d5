import { createHmac } from 'node:crypto';
import { type Adds, type Free, type Operator, type Problem, type StepContext, transform } from '../../core/index.js';
import { withField } from '../../util/literals.js';
import { choiceProblems } from '../option-values.js';
import { optionProblems, requireOptions } from '../options.js';
import { digitCipher } from './pii/digit-cipher.js';
import { detectorOf, findPii, type PiiKind, piiKinds } from './pii/kinds.js';

/**
 * What becomes of a finding:
 *
 * - `replace`: its kind in its place, `[email]`.
 * - `partial`: most of it in stars: `a****@example.com`, `**** **** **** 1111`.
 * - `token`: a token that only the key can make, `[email:Zm9v...]`: the same for the same data in any spelling, so records still join.
 * - `encrypt`: other digits in the same form, `7302 1840 2265 9107`, for what checks a form further on; the key can take it back. Not for
 *   addresses.
 * - `keep`: nothing; it is counted and marked.
 */
export type Masking = 'replace' | 'partial' | 'token' | 'encrypt' | 'keep';
const maskings: readonly Masking[] = ['replace', 'partial', 'token', 'encrypt', 'keep'];

/** Whose digits may be encrypted in their form. */
type PiiNumber = Exclude<PiiKind, 'email' | 'ip'>;

type TextName<T> = { [K in keyof T & string]: NonNullable<T[K]> extends string ? K : never }[keyof T & string];

/** What `maskPii` looks for in which fields, and what it puts in its place. */
export interface MaskPiiOptions<T> {
  /** The fields that are searched. */
  readonly fields: readonly TextName<T>[];
  /** The kinds to find, and how to mask each. */
  readonly find: { readonly [K in PiiKind]?: K extends PiiNumber ? Masking : Exclude<Masking, 'encrypt'> };
  /** Most findings in a record; 1,000 by default. A record with more is a dead letter: `too-many-findings`. */
  readonly findingsMax?: number;
  /** The secret of tokens and encryption, at least 16 bytes; from the environment, never from the code. */
  readonly key?: string | Uint8Array | undefined;
}

/** Adds how many personal data were found. */
export interface MarkPiiOptions<As extends string> {
  /** Adds a field of this name: how many of each kind were found. */
  readonly mark: As;
}

/** How many personal data of each kind a record had. */
export type PiiCounts = { readonly [K in PiiKind]?: number };

const KEY_BYTES_MIN = 16;
const FINDINGS_MAX = 1_000;
/** Characters of a token: 132 bits. */
const TOKEN_LENGTH = 22;

/**
 * Finds personal data in texts and masks it in the fields.
 *
 * @example
 * notes.via('mask', maskPii({
 *   fields: ['note', 'contact'],
 *   find: { email: 'token', phone: 'partial', card: 'partial', iban: 'replace', ip: 'partial', 'us-ssn': 'replace' },
 *   key: process.env.PII_KEY,
 * }));
 *
 * Kinds: `email`, `phone` (international with + or 00; North American), `card` (known networks, 14 digits or more, Luhn), `iban` (length,
 * mod 97), `ip` (4 and 6), `us-ssn`, `gb-nino`, `es-dni`, `fr-nir`, `br-cpf`, `pl-pesel`. If a kind has a checksum, a number must satisfy
 * it: a mistyped number is not found. Names and addresses are not found. Fullwidth characters and digits of other scripts count as plain
 * ones, and invisible characters between them are ignored. Only the given fields are searched. The key of the record, and raw bytes in
 * dead letters, are not masked.
 *
 * A token is HMAC-SHA-256 over kind and data, cut to 132 bits: without the key nobody can compute it, or find the data by trying. The same
 * key gives the same tokens in every step, topology and replay. `encrypt` is FF1 of NIST SP 800-38G over the digits, with a key derived
 * from that key, by `@noble/ciphers`; some 60 microseconds per number. The key is in no description, state, error or log.
 *
 * The time for a text is linear in its length, at most 100 ms per megabyte. A record has at most `findingsMax` findings.
 *
 * Counters: `found:<kind>`. Missing values pass. Memory: none.
 */
export function maskPii<T>(options: MaskPiiOptions<NoInfer<T>>): Operator<T, Adds<unknown>>;
export function maskPii<T, const As extends string>(
  options: MaskPiiOptions<NoInfer<T>> & MarkPiiOptions<As>,
): Operator<T & Free<As>, Adds<{ readonly [K in As]: PiiCounts }>>;
export function maskPii<T>(
  options: MaskPiiOptions<NoInfer<T>> & Partial<MarkPiiOptions<string>>,
): Operator<T, Adds<unknown>> {
  requireOptions('maskPii', options);
  const { fields, find, key, mark, findingsMax = FINDINGS_MAX } = options;
  const kinds = piiKinds.filter((kind) => find[kind] !== undefined);
  return transform<T, Adds<unknown>>({
    kind: 'maskPii',
    settings: {
      fields: fields.join(', '),
      ...Object.fromEntries(kinds.map((kind) => [kind, find[kind] as Masking])),
      ...(findingsMax === FINDINGS_MAX ? {} : { findingsMax }),
      ...(mark === undefined ? {} : { mark }),
    },
    problems: [...optionProblems('maskPii', options), ...problemsOf(options)],
    open(context) {
      const masks = new Map(kinds.map((kind) => [kind, maskerOf(kind, find[kind] as Masking, key, context)]));
      return (value, emit) => {
        let out = value as Record<string, unknown>;
        const counts: { [K in PiiKind]?: number } = {};
        let left = findingsMax;
        for (const field of fields) {
          const present = out[field];
          if (typeof present !== 'string') continue;
          let masked = '';
          let from = 0;
          const findings = findPii(present, kinds, left);
          if (findings === undefined)
            return context.deadLetter('too-many-findings', `more than ${findingsMax} personal data`);
          left -= findings.length;
          for (const { kind, plain, start, end } of findings) {
            counts[kind] = (counts[kind] ?? 0) + 1;
            masked += present.slice(from, start) + masks.get(kind)?.(plain, present.slice(start, end));
            from = end;
          }
          if (from === 0) continue;
          masked += present.slice(from);
          if (masked === present) continue;
          if (out === value) out = withField(value, field, masked);
          else out[field] = masked;
        }
        emit((mark === undefined ? out : withField(out, mark, counts)) as never);
      };
    },
  });
}

/** What becomes of each finding of a kind, counted. */
function maskerOf(
  kind: PiiKind,
  masking: Masking,
  key: string | Uint8Array | undefined,
  context: StepContext,
): (plain: string, found: string) => string {
  const count = context.counter(`found:${kind}`);
  const detector = detectorOf(kind);
  const ways: Readonly<Record<Masking, (plain: string, found: string) => string>> = {
    keep: (_, found) => found,
    encrypt: masking === 'encrypt' ? digitCipher(key as string, kind) : (found) => found,
    replace: () => `[${kind}]`,
    partial: detector.partial,
    token(found) {
      const hmac = createHmac('sha256', key as string).update(`${kind}\0${detector.normalize(found)}`);
      return `[${kind}:${hmac.digest('base64url').slice(0, TOKEN_LENGTH)}]`;
    },
  };
  const way = ways[masking];
  return (plain, found) => {
    count.add();
    return way(plain, found);
  };
}

function problemsOf<T>({ fields, key, findingsMax = FINDINGS_MAX, ...options }: MaskPiiOptions<T>): Problem[] {
  const find: Readonly<Record<string, Masking | undefined>> = options.find;
  const problems: Problem[] = [];
  if (fields.length === 0) problems.push({ message: 'no field to search', hint: "name one: fields: ['note']" });
  const given = Object.values(find).filter((masking) => masking !== undefined);
  if (given.length === 0)
    problems.push({ message: 'nothing to find', hint: "name a kind: find: { email: 'replace' }" });
  for (const kind of Object.keys(find))
    if (!(piiKinds as readonly string[]).includes(kind))
      problems.push({ message: `there is no kind '${kind}'`, hint: `choose from ${piiKinds.join(', ')}` });
  for (const [kind, masking] of Object.entries(find))
    problems.push(...choiceProblems(`find.${kind}`, masking, maskings));
  // Never the key itself, nor how long it is.
  for (const kind of ['email', 'ip'])
    if (find[kind] === 'encrypt')
      problems.push({ message: `${kind} cannot be encrypted: it is not a number`, hint: 'use `token` or `partial`' });
  if ((given.includes('token') || given.includes('encrypt')) && Buffer.byteLength(key ?? '') < KEY_BYTES_MIN)
    problems.push({
      message: key === undefined ? 'tokens and encryption need a key' : 'the key of tokens is too short',
      hint: `give \`key\` at least ${KEY_BYTES_MIN} random bytes from the environment: openssl rand -base64 32`,
    });
  if (!(findingsMax >= 1))
    problems.push({ message: `findingsMax is ${findingsMax}`, hint: 'give it a positive number' });
  return problems;
}
