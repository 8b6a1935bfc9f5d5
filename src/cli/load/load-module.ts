import { statSync } from 'node:fs';
import { register as registerHook } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { MillraceError } from '../../core/errors.js';
import { optionKinds } from '../../operators/option-kinds.js';
import { exportHint } from './export-hint.js';
import { ownPackage } from './own-package.js';
import { placeOf, shorten } from './place.js';
import { syntaxPlace } from './syntax-place.js';
import { untilLoaded } from './until-loaded.js';

/**
 * Imports a file of the user's, TypeScript or JavaScript, without a build step; types are not checked.
 *
 * Its imports resolve as Node does it: `millrace` is the installed package, so that the file and this command share one
 * copy of it. A TypeScript file is an ES module whatever the `package.json` around it says.
 *
 * @throws MillraceError `config` with file and line where the file does not exist, does not parse, throws, ends the process
 * or waits for a promise that never settles.
 */
export async function loadModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || found.isDirectory()) {
    const message = found ? 'is a folder' : 'no such file';
    throw new MillraceError('config', message, { where: file || path, hint: GIVE_A_FILE });
  }
  if (/\.[cm]?tsx?$/.test(path)) await readTypeScript();
  try {
    return await untilLoaded(file, path, () => import(pathToFileURL(path).href));
  } catch (error) {
    throw await loadFailure(error, file, path);
  }
}

const GIVE_A_FILE = 'give the path of a topology file';

let registered: Promise<void> | undefined;

function readTypeScript(): Promise<void> {
  registered ??= import('tsx/esm/api').then(({ register }) => {
    register({ tsconfig: false });
    registerHook(`data:text/javascript,${encodeURIComponent(everyTsIsAModule)}`);
  });
  return registered;
}

// Without `"type": "module"` beside it, a .ts file would pass for CommonJS, which cannot import the package.
const everyTsIsAModule = `
const ours = (url) => /\\.tsx?(\\?|$)/.test(url) && !url.includes('/node_modules/');
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  return ours(found.url) ? { ...found, format: 'module' } : found;
}
export const load = (url, context, next) => next(url, ours(url) ? { ...context, format: 'module' } : context);
`;

async function loadFailure(error: unknown, file: string, path: string): Promise<MillraceError> {
  if (error instanceof Error && error.name === 'MillraceError') return withPlace(error as MillraceError, file, path);
  if (!(error instanceof Error))
    return new MillraceError('config', `the file throws ${inspect(error, { depth: 1 })}`, {
      where: file,
      hint: 'throw an Error, which says where it was made',
      cause: error,
    });
  const { message, code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
    const name = /(?:package|module) '([^']+)'/.exec(message)?.[1] ?? 'a module';
    const isMillrace = /^millrace(\/|$)/.test(name);
    const hint = isMillrace
      ? 'npm install millrace, in the folder of the file'
      : 'is it installed, and the path right?';
    return new MillraceError('config', `cannot find ${shorten(name)}`, {
      where: placeOf(error, file, path),
      hint,
      cause: error,
    });
  }
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
    return new MillraceError('config', 'is neither TypeScript nor JavaScript', { where: file, hint: GIVE_A_FILE });
  const syntax = /^Transform failed.*?\n(.+?):(\d+):(\d+): ERROR: (.+)$/ms.exec(message);
  if (syntax) {
    const [, where, line, column, what = ''] = syntax;
    return unparsed(what, `${shorten(where ?? path)}:${line}:${column}`, error);
  }
  const place = error instanceof SyntaxError ? syntaxPlace(path) : undefined;
  if (place !== undefined) return unparsed(message, shorten(place), error);
  const [, module, name] = /module '(.+)' does not provide an export named '(.+)'/.exec(message) ?? [];
  const hint =
    module !== undefined && name !== undefined
      ? await exportHint(module, name)
      : 'the file threw while it was loaded; `npx tsc --noEmit` finds type errors';
  const where = placeOf(error, file, path);
  const called = error instanceof TypeError ? calledFrom(path, error) : undefined;
  if (called === undefined) return new MillraceError('config', message, { where, hint, cause: error });
  const names = Object.keys(optionKinds[called] ?? {}).join(', ');
  return new MillraceError('config', `${called}: ${message}`, {
    where,
    hint: `an option is missing or misspelt, or a function is not called${names ? `; there are: ${names}` : ''}; \`npx tsc --noEmit\` says which`,
    cause: error,
  });
}

const unparsed = (what: string, where: string, cause: Error): MillraceError =>
  new MillraceError('config', `does not parse: ${what}`, {
    where,
    hint: 'fix the line; your editor or `npx tsc --noEmit` shows more',
    cause,
  });

function withPlace(error: MillraceError, file: string, path: string): MillraceError {
  if (error.where !== undefined) return error;
  const { code, message, hint = '' } = error;
  return new MillraceError(code, message, { where: placeOf(error, file, path), hint, cause: error });
}

/** The function of Millrace that a file had called when this was thrown; `undefined` where the file itself threw it. */
function calledFrom(path: string, { stack = '' }: Error): string | undefined {
  const frames = stack.split('\n');
  const caller = frames.findIndex((frame) => frame.includes(path));
  const [, name, file = ''] = /at (?:\w+\.)?(\w+) \((?:file:\/\/)?(.+?)\)$/.exec(frames[caller - 1] ?? '') ?? [];
  return file.startsWith(ownPackage().folder) ? name : undefined;
}
