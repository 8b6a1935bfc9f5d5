import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError, messageOf } from '../../core/errors.js';
import type { Learner } from '../../core/learner.js';
import * as ml from '../../ml/index.js';
import { loadModule } from './load-module.js';

/**
 * The learner that an expression makes: TypeScript with the names of `millrace/ml` in scope.
 *
 * @throws MillraceError `config` where the expression does not parse, throws, has an option that there is not, or makes no learner
 * @example await loadLearner('pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.01 }) }))');
 */
export async function loadLearner(expression: string): Promise<Learner<never, unknown>> {
  const names = Object.keys(ml);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-learner-'));
  try {
    const file = join(folder, 'learner.ts');
    await writeFile(file, `export default ({ ${names.join(', ')} }) => (\n${expression}\n);\n`);
    const { default: make } = await loadModule(file);
    const made: unknown = (make as (names: object) => unknown)(strict);
    if (isLearner(made)) return made;
    throw new MillraceError('config', 'the expression is not a learner', { where: WHERE, hint: HINT });
  } catch (cause) {
    if (cause instanceof MillraceError && cause.where === WHERE) throw cause;
    const unknown = /^(\w+) is not defined$/.exec(messageOf(cause))?.[1];
    throw new MillraceError(
      'config',
      unknown ? `there is no ${unknown}` : `the expression fails: ${messageOf(cause)}`,
      {
        where: WHERE,
        hint: unknown ? `in scope: ${names.join(', ')}` : HINT,
        cause,
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const WHERE = '--learner';
const HINT = "for example 'pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.01 }) }))'";

const isLearner = (value: unknown): value is Learner<never, unknown> =>
  typeof value === 'object' && value !== null && 'output' in value && 'cells' in value && 'open' in value;

type Options = Readonly<Record<string, unknown>>;
type Make = (...given: readonly unknown[]) => unknown;

/** The names of `millrace/ml` as functions that refuse an option which they do not read: no compiler checks an expression. */
const strict = Object.fromEntries(
  Object.entries(ml as Record<string, unknown>).map(([name, make]) => [
    name,
    typeof make === 'function' ? refusing(name, make as Make) : make,
  ]),
);

function refusing(name: string, make: Make): Make {
  return (...given) => {
    const read = new Set<string>();
    try {
      make(...given.map((each) => (isOptions(each) ? watched(each, read) : each)));
    } catch {
      // The call below fails as well, unless the reason is an option that there is not.
    }
    const unread = given.filter(isOptions).flatMap((options) => Object.keys(options).filter((key) => !read.has(key)));
    if (unread.length > 0)
      throw new MillraceError('config', `${name} has no option '${unread[0]}'`, {
        where: WHERE,
        hint: `it has ${[...read].join(', ') || 'none'}`,
      });
    return make(...given);
  };
}

/** Options as they are written; what the functions make is frozen. */
const isOptions = (value: unknown): value is Options =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.isFrozen(value);

/** The same options, which note what is read of them. */
const watched = (options: Options, read: Set<string>): Options =>
  new Proxy(options, {
    get(of, key) {
      if (typeof key === 'string') read.add(key);
      return of[key as string];
    },
  });
