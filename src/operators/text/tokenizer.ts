import { readFile } from 'node:fs/promises';
import { MillraceError, messageOf } from '../../core/index.js';

export interface TextEncoder {
  /** The ids of a text with those that stand around it, at most `lengthMax` in all: a longer text loses its end. */
  encode(text: string, lengthMax: number): Encoded;
  /** What fills up a text that is shorter than its row. */
  readonly padId: number;
}

export interface Encoded {
  readonly ids: readonly number[];
  readonly isCut: boolean;
}

export interface TokenizerOptions {
  /** Whether the tokens that the model was trained with stand around a text: `[CLS]`, `<s>`. */
  readonly specialTokens: boolean;
  readonly padToken: string | undefined;
}

/** As much of the library's tokenizer as is used: its own types are written for bundlers, and are lost on Node's resolution. */
interface Tokenizer {
  encode(text: string, options?: { readonly add_special_tokens: boolean }): { readonly ids: readonly number[] };
  token_to_id(token: string): number | undefined;
}

/** What the file of a tokenizer says of padding, if anything, of tokens beside its vocabulary, and of the vocabulary. */
interface TokenizerFile {
  readonly padding?: { readonly pad_id?: number } | null;
  readonly added_tokens?: readonly { readonly content: string; readonly special?: boolean }[];
  readonly model?: {
    readonly unk_token?: string | null;
    /** Ids by token, or tokens with their scores, at the index that is their id (Unigram). */
    readonly vocab?: Readonly<Record<string, number>> | readonly (readonly [token: string, score: number])[];
  };
}

/**
 * Reads a `tokenizer.json`; nothing is fetched from anywhere else. Its own settings of truncation are passed over.
 *
 * A special token that a text spells, such as `[SEP]`, is text like any other: whoever writes texts has no say in where they begin
 * and end for the model.
 *
 * Throws `MillraceError('model')` where the file cannot be read, is none, or names no padding.
 */
export async function openTokenizer(file: string | URL, options: TokenizerOptions): Promise<TextEncoder> {
  const json = await readTokenizer(file);
  const tokenizer = await makeTokenizer(file, json);
  const [before, after] = options.specialTokens ? specialTokensOf(tokenizer) : [[], []];
  const around = before.length + after.length;
  const ofTexts = await makeTokenizer(file, withoutSpecialTokens(json));
  return {
    padId: padIdOf(tokenizer, json, options.padToken),
    encode(text, lengthMax) {
      const { ids } = ofTexts.encode(text, { add_special_tokens: false });
      const room = Math.max(0, lengthMax - around);
      const kept = ids.length > room ? ids.slice(0, room) : ids;
      return { ids: around === 0 ? kept : [...before, ...kept, ...after], isCut: kept !== ids };
    },
  };
}

async function readTokenizer(file: string | URL): Promise<TokenizerFile> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as TokenizerFile;
  } catch (cause) {
    throw new MillraceError('model', `the tokenizer ${String(file)} cannot be read`, {
      hint: 'it is the file tokenizer.json that comes with a model; relative paths start at the working directory',
      permanent: true,
      cause,
    });
  }
}

async function makeTokenizer(file: string | URL, json: TokenizerFile): Promise<Tokenizer> {
  const library = await import('@huggingface/tokenizers');
  try {
    return new library.Tokenizer(json, {});
  } catch (cause) {
    throw new MillraceError('model', `the tokenizer ${String(file)} cannot be used: ${messageOf(cause)}`, {
      hint: 'it must be a tokenizer.json of WordPiece, BPE or Unigram',
      permanent: true,
      cause,
    });
  }
}

/** The same tokenizer, with no token in which it could find a special one: all ids stay what they are. */
function withoutSpecialTokens(json: TokenizerFile): TokenizerFile {
  const { added_tokens = [], model = {} } = json;
  const special = new Set(added_tokens.flatMap(({ content, special }) => (special ? [content] : [])));
  special.delete(model.unk_token ?? '');
  const { vocab = {} } = model;
  const kept = Array.isArray(vocab)
    ? vocab.map(([token, score], id) => [special.has(token) ? `\u0000${id}` : token, score])
    : Object.fromEntries(Object.entries(vocab).filter(([token]) => !special.has(token)));
  return {
    ...json,
    added_tokens: added_tokens.filter(({ special }) => !special),
    model: { ...model, vocab: kept as NonNullable<typeof model.vocab> },
  };
}

/** What the tokenizer puts before and after a text, found on one. */
function specialTokensOf(tokenizer: Tokenizer): readonly [readonly number[], readonly number[]] {
  const probe = 'a';
  const plain = tokenizer.encode(probe, { add_special_tokens: false }).ids;
  const whole = tokenizer.encode(probe).ids;
  for (let at = 0; at + plain.length <= whole.length; at++) {
    if (plain.every((id, i) => whole[at + i] === id)) return [whole.slice(0, at), whole.slice(at + plain.length)];
  }
  throw new MillraceError('model', 'the tokenizer puts special tokens into a text, not only before and after it', {
    hint: 'set specialTokens: false, which leaves them out',
    permanent: true,
  });
}

function padIdOf(tokenizer: Tokenizer, { padding }: TokenizerFile, padToken: string | undefined): number {
  if (padToken === undefined && padding?.pad_id !== undefined) return padding.pad_id;
  const names = padToken === undefined ? ['[PAD]', '<pad>', '<|endoftext|>'] : [padToken];
  const ids = names.map((name) => tokenizer.token_to_id(name)).filter((id) => id !== undefined);
  if (ids[0] !== undefined) return ids[0];
  throw new MillraceError('model', `the tokenizer has no padding token ${names.join(' or ')}`, {
    hint: "name the token that the model was trained with: padToken: '...'",
    permanent: true,
  });
}
