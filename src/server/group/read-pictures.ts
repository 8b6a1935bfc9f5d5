import { MillraceError } from '../../core/errors.js';
import type { Picture } from '../live.js';

/** A picture of 300 steps and 64 tasks has 79 kB. */
const CHARACTERS_MAX = 4_000_000;

/**
 * The pictures in the answer of `/live`, until the run ends.
 *
 * @throws MillraceError `config` for what is no stream of pictures; what `fetch` throws if the connection is lost.
 */
export async function* readPictures<P extends Pick<Picture, 'form'>>(answer: Response): AsyncGenerator<P> {
  let text = '';
  for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.length > CHARACTERS_MAX)
      throw new MillraceError('config', 'what answers is no run', { where: answer.url });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      if (event.startsWith('event: bye')) return;
      if (event.startsWith('data: ')) yield JSON.parse(event.slice('data: '.length)) as P;
    }
  }
}
