import { editDistance } from './edit-distance.js';

/** Words that were looked for and not found are remembered, so that a common mistake is looked for once. */
const REMEMBERED_MAX = 1_000;

interface Word {
  readonly text: string;
  readonly letters: readonly string[];
  /** A bit for each letter that it has; several letters may share one. */
  readonly bits: number;
}

/**
 * The word of a list that a misspelt one is meant to be: the one with the fewest edits, at most `distanceMax`. Where two are
 * equally near there is none, since either would be a guess.
 *
 * Time: of a word that is in the list, none; of others, each word of about its length is compared. Memory: the list, and a
 * thousand answers to texts that are about as long as its words.
 */
export class Spelling {
  private readonly known: ReadonlySet<string>;
  private readonly byLength = new Map<number, Word[]>();
  private readonly remembered = new Map<string, string | undefined>();
  /** A longer text is near to no word: it need not be compared, nor remembered. In code units, of which a letter has two at most. */
  private readonly unitsMax: number;

  constructor(
    words: readonly string[],
    private readonly distanceMax: number,
    /** Shorter words are left as they are: they are near to too many others. */
    private readonly lengthMin: number,
  ) {
    this.known = new Set(words);
    for (const text of this.known) {
      const letters = [...text];
      const same = this.byLength.get(letters.length) ?? [];
      same.push({ text, letters, bits: bitsOf(letters) });
      this.byLength.set(letters.length, same);
    }
    this.unitsMax = 2 * (Math.max(0, ...this.byLength.keys()) + distanceMax);
  }

  /** The word that is meant, or `undefined` where the text is one already or none is near enough. */
  meant(text: string): string | undefined {
    if (this.known.has(text) || text.length > this.unitsMax) return undefined;
    if (this.remembered.has(text)) return this.remembered.get(text);
    const found = this.nearest([...text]);
    if (this.remembered.size >= REMEMBERED_MAX) this.remembered.delete(this.remembered.keys().next().value as string);
    this.remembered.set(text, found);
    return found;
  }

  private nearest(letters: readonly string[]): string | undefined {
    if (letters.length < this.lengthMin) return undefined;
    const bits = bitsOf(letters);
    let best = this.distanceMax + 1;
    let found: string | undefined;
    for (let by = -this.distanceMax; by <= this.distanceMax; by++) {
      for (const word of this.byLength.get(letters.length + by) ?? []) {
        // An edit brings in, or takes away, one letter that the other word lacks: most words are told apart by that.
        const most = Math.max(countOf(bits & ~word.bits), countOf(word.bits & ~bits));
        if (most > Math.min(best, this.distanceMax)) continue;
        // One more than is better would not be needed, one that is as good makes a tie.
        const distance = editDistance(letters, word.letters, Math.min(best, this.distanceMax));
        if (distance < best) {
          best = distance;
          found = word.text;
        } else if (distance === best && best <= this.distanceMax) found = undefined;
      }
    }
    return found;
  }
}

const bitsOf = (letters: readonly string[]): number =>
  letters.reduce((bits, letter) => bits | (1 << ((letter.codePointAt(0) as number) & 31)), 0);

/** How many bits are set. */
function countOf(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}
