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
 * @throws MillraceError `config` where the expression does not parse, throws, or makes no learner
 * @example await loadLearner('pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.01 }) }))');
 */
export async function loadLearner(expression: string): Promise<Learner<never, unknown>> {
  const names = Object.keys(ml);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-learner-'));
  try {
    const file = join(folder, 'learner.ts');
    await writeFile(file, `export default ({ ${names.join(', ')} }) => (\n${expression}\n);\n`);
    const { default: make } = await loadModule(file);
    const made: unknown = (make as (names: typeof ml) => unknown)(ml);
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
