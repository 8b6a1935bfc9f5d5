import { spawnSync } from 'node:child_process';

/**
 * The line at which a JavaScript file does not parse; `undefined` where it does. An import fails without it: V8 tells the place of a
 * syntax error to nobody but Node itself, which prints it when it checks a file.
 */
export function syntaxPlace(path: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' });
  const first = stderr.slice(0, stderr.indexOf('\n'));
  return first.startsWith(`${path}:`) ? first : undefined;
}
