/** Segments read at once: the time that `Intl.Segmenter` takes for a text grows with the square of its segments. */
const WINDOW = 256;

/**
 * The words of a text, in order and in linear time, as `segmenter` divides the whole of it.
 *
 * Reads the text through a window. What may depend on characters beyond the window, its last two segments, is read
 * again with the next one: no rule of UAX #29 looks further ahead than one segment. Runs of a script without spaces
 * (Chinese, Japanese, Thai) are divided by a dictionary, window by window.
 */
export function* wordsOf(text: string, segmenter: Intl.Segmenter): Generator<string> {
  let length = WINDOW;
  for (let start = 0; start < text.length; ) {
    const isLast = start + length >= text.length;
    const segments = [...segmenter.segment(isLast ? text.slice(start) : text.slice(start, start + length))];
    const certain = isLast ? segments : segments.slice(0, -2);
    const end = certain.at(-1);
    if (end === undefined) {
      length *= 2; // one segment is longer than the window
      continue;
    }
    for (const { segment, isWordLike } of certain) if (isWordLike) yield segment;
    start += end.index + end.segment.length;
    length = WINDOW;
  }
}
