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

/** What the file of a tokenizer says of padding, if anything. */
interface TokenizerFile {
  readonly padding?: { readonly pad_id?: number } | null;
}

/**
 * Reads a `tokenizer.json`; nothing is fetched from anywhere else. Its own settings of truncation are passed over.
 *
 * Throws `MillraceError('model')` where the file cannot be read, is none, or names no padding.
 */
export async function openTokenizer(file: string | URL, options: TokenizerOptions): Promise<TextEncoder> {
  const json = await readTokenizer(file);
  const tokenizer = await makeTokenizer(file, json);
  const [before, after] = options.specialTokens ? specialTokensOf(tokenizer) : [[], []];
  const around = before.length + after.length;
  return {
    padId: padIdOf(tokenizer, json, options.padToken),
    encode(text, lengthMax) {
      const { ids } = tokenizer.encode(text, { add_special_tokens: false });
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

/** What the tokenizer puts before and after a text, found on one. */
function specialTokensOf(tokenizer: Tokenizer): readonly [readonly number[], readonly number[]] {
  const probe = 'a';
  const plain = tokenizer.encode(probe, { add_special_tokens: false }).ids;
  const whole = tokenizer.encode(probe).ids;
  for (let at = 0; at + plain.length <= whole.length; at++) {
    if (plain.every((id, i) => whole[at + i] === id)) return [whole.slice(0, at), whole.slice(at + plain.length)];
  }
  throw new MillraceError('model', 'the tokenizer does more to a text than to put tokens around it', {
    hint: 'specialTokens: false',
    permanent: true,
  });
}

function padIdOf(tokenizer: Tokenizer, { padding }: TokenizerFile, padToken: string | undefined): number {
  if (padToken === undefined && padding?.pad_id !== undefined) return padding.pad_id;
  const names = padToken === undefined ? ['[PAD]', '<pad>', '<|endoftext|>'] : [padToken];
  const ids = names.map((name) => tokenizer.token_to_id(name)).filter((id) => id !== undefined);
  if (ids[0] !== undefined) return ids[0];
  throw new MillraceError('model', `the tokenizer has no token ${names.join(' or ')} to fill up short texts with`, {
    hint: "name the token that the model was trained with: padToken: '...'",
    permanent: true,
  });
}
