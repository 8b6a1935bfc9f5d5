import { fileURLToPath } from 'node:url';

/** The first line of the user's code on the stack; the file alone where there is none. */
export function placeOf(error: unknown, file: string, path: string): string {
  const lines = placesIn(error);
  const inFile =
    lines.find((line) => line.startsWith(`${path}:`)) ?? lines.find((line) => !line.includes('/dist/src/'));
  return inFile === undefined ? file : shorten(inFile);
}

/** The files on the stack, each with its line; those of Node and of packages are left out. */
export function placesIn(error: unknown): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack.split('\n').flatMap((line) => {
    const place = /((?:file:\/\/)?\/[^\s()?]+)(?:\?[^\s():]*)?:(\d+)(?::\d+)?\)?$/.exec(line);
    return place && !/node:|\/node_modules\//.test(line) ? [`${toPath(place[1] ?? '')}:${place[2]}`] : [];
  });
}

const toPath = (text: string): string => (text.startsWith('file:') ? fileURLToPath(text) : text);

/** Relative to the current folder, where it is below it. */
export const shorten = (path: string): string => {
  const plain = toPath(path);
  const folder = `${process.cwd()}/`;
  return plain.startsWith(folder) ? plain.slice(folder.length) : plain;
};
