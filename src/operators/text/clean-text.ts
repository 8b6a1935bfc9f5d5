import { type Adds, type Operator, type Problem, transform } from '../../core/index.js';
import { withField } from '../../util/literals.js';
import { optionProblems } from '../options.js';

/** What `cleanText` changes in a text. */
export interface CleanTextOptions {
  /** Removes tags, comments, scripts and styles, and decodes entities (default: no). */
  readonly html?: boolean;
  /** Unicode's form: `NFC` (the default) joins accents with their letters, `NFKC` also replaces ligatures and wide letters. */
  readonly form?: 'NFC' | 'NFKC';
  /** Changes to lower case, the same in every locale (default: no). */
  readonly lowerCase?: boolean;
  /** Characters (UTF-16 code units) kept at most (default: 100,000). */
  readonly charsMax?: number;
}

/** The texts that `cleanText` cleans: for each field, how. */
export type CleanTextRules<T> = {
  readonly [K in keyof T]?: NonNullable<T[K]> extends string ? CleanTextOptions : never;
};

const CHARS_MAX = 100_000;

/**
 * Cleans texts in their fields: one form of Unicode, no control characters, one space between words.
 *
 * @example
 * reviews.via('clean', cleanText({ title: {}, body: { html: true, form: 'NFKC', lowerCase: true, charsMax: 10_000 } }));
 *
 * In this order: a text is cut after `charsMax` characters, HTML is removed, half surrogates become U+FFFD. Control characters, soft hyphens,
 * zero-width spaces and direction marks are removed (joiners stay, because emoji and some scripts need them), and so are combining marks
 * after the 30th of a letter. Then `form` and `lowerCase` are applied. At last each run of white space becomes one space, with none at
 * the ends. Without `html`, cleaning a text twice gives the same as once.
 *
 * HTML is removed by simple rules, which extract words. The result is not safe HTML. Missing values pass.
 * Counters: `cleaned` (texts that changed), `cut`. Memory: none.
 */
export function cleanText<T>(rules: CleanTextRules<NoInfer<T>>): Operator<T, Adds<unknown>> {
  const fields = Object.keys(rules);
  const options = Object.values<CleanTextOptions>(rules as Record<string, CleanTextOptions>);
  return transform<T, Adds<unknown>>({
    kind: 'cleanText',
    settings: Object.fromEntries(fields.map((field, i) => [field, textOf(options[i] as CleanTextOptions)])),
    problems: [...options.flatMap((rule) => optionProblems('cleanText', rule)), ...problemsOf(fields, options)],
    open(context) {
      const cleaned = context.counter('cleaned');
      const cut = context.counter('cut');
      return (value, emit) => {
        let out = value as Record<string, unknown>;
        for (let i = 0; i < fields.length; i++) {
          const field = fields[i] as string;
          const present = out[field];
          if (typeof present !== 'string') continue;
          const rule = options[i] as CleanTextOptions;
          if (present.length > (rule.charsMax ?? CHARS_MAX)) cut.add();
          const text = clean(present, rule);
          if (text === present) continue;
          cleaned.add();
          if (out === value) out = withField(value, field, text);
          else out[field] = text;
        }
        emit(out as never);
      };
    },
  });
}

/** One text by one rule: what `cleanText` does to a field. */
export function clean(
  text: string,
  { html = false, form = 'NFC', lowerCase = false, charsMax = CHARS_MAX }: CleanTextOptions,
): string {
  let out = text.length > charsMax ? text.slice(0, charsMax) : text;
  if (html) out = withoutHtml(out);
  if (PLAIN.test(out)) return lowerCase ? out.toLowerCase() : out;
  out = normalized(out.replace(HALVES, '\ufffd').replace(SPACES, ' ').replace(INVISIBLE, ''), form);
  // Lower case may take a letter apart (İ), so the form comes last again.
  if (lowerCase) out = normalized(out.toLowerCase(), form);
  return out.replace(SPACES, ' ').trim();
}

/**
 * A form of Unicode in linear time: to put combining marks in order takes time with the square of their number, so a
 * letter keeps 30 of them, the limit of Unicode's stream-safe format (UAX #15), before and after.
 */
const normalized = (text: string, form: 'NFC' | 'NFKC'): string =>
  text.replace(MARKS, '$1').normalize(form).replace(MARKS, '$1');

/** Most texts: words of ASCII with single spaces, which nothing below would change. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;
const MARKS = /(\p{M}{30})\p{M}+/gu;
const HALVES = /\p{Surrogate}/gu;
/** White space and the controls that stand for it: tab, line feed, next line and so on. */
const SPACES = /[\s\u0085]+/gu;
const INVISIBLE = /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu;

const UNSEEN = /<!--[\s\S]*?(?:-->|$)|<(script|style|template|noscript)\b[^<>]*>[\s\S]*?(?:<\/\1\s*>|$)/gi;
/** Tags that stand inside a word or sentence leave no space behind. */
const INLINE = /<\/?(?:a|abbr|b|bdi|bdo|cite|code|em|font|i|kbd|mark|q|s|small|span|strong|sub|sup|u|wbr)\b[^<>]*>/gi;
const TAGS = /<[!/?a-z][^<>]*(?:>|$)/gi;
const ENTITIES = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,6}));/gi;
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  euro: '€',
  pound: '£',
  copy: '©',
  reg: '®',
  deg: '°',
};

/** The words of a piece of HTML. Tags go before entities are read, so that `&lt;b&gt;` stays a text about a tag. */
function withoutHtml(text: string): string {
  const words = text.replace(UNSEEN, ' ').replace(INLINE, '').replace(TAGS, ' ');
  return words.replace(ENTITIES, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  });
}

function textOf({ html = false, form = 'NFC', lowerCase = false, charsMax = CHARS_MAX }: CleanTextOptions): string {
  return `${html ? 'from HTML, ' : ''}${form}${lowerCase ? ', lower case' : ''}, up to ${charsMax}`;
}

function problemsOf(fields: readonly string[], options: readonly CleanTextOptions[]): Problem[] {
  if (fields.length === 0) return [{ message: 'no text to clean', hint: 'name a field: cleanText({ title: {} })' }];
  return options.flatMap(({ charsMax = CHARS_MAX }, i) =>
    charsMax >= 1 ? [] : [{ message: `${fields[i]}: charsMax is ${charsMax}`, hint: 'give it a positive number' }],
  );
}
