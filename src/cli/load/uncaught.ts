import { MillraceError, messageOf } from '../../core/errors.js';
import { ownPackage } from './own-package.js';
import { placesIn, shorten } from './place.js';

/** What was thrown where nothing catches it, with its place where that is a file of the user's; `undefined` where it is not. */
export function uncaughtInFile(error: unknown): MillraceError | undefined {
  const [where] = placesIn(error);
  if (where === undefined || isOwn(where)) return undefined;
  return new MillraceError('config', messageOf(error), {
    where: shorten(where),
    hint: 'nothing catches this: await the promise, or catch what the timer or listener throws',
    cause: error,
  });
}

const isOwn = (place: string): boolean => {
  const { folder } = ownPackage();
  return ['src/', 'connectors/', 'dist/'].some((part) => place.startsWith(folder + part));
};
