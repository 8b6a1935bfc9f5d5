import { editDistance } from '../../operators/quality/spelling/edit-distance.js';
import { builtInConnectors } from '../../profiles/built-in.js';

const entries = ['window', 'ml', 'operator', 'connect', 'run', 'testing'].map((name) => `millrace/${name}`);

/** What an entry point of the package exports; it is loaded only after an import has failed. */
const namesOf = async (entry: string): Promise<readonly string[]> => Object.keys(await import(entry));

const PREFIX = 5;
const LETTERS_MAX = 2;

/**
 * What to write instead of an import that a module does not have: the entry point of Millrace that has the name, or names of the
 * module that are spelt nearly so.
 *
 * @example await exportHint('millrace', 'tumbling'); // "import { tumbling } from 'millrace/window'"
 */
export async function exportHint(module: string, name: string): Promise<string> {
  if (module === 'millrace' || entries.includes(module)) {
    if ((await builtInConnectors()).some((connector) => connector.name === name))
      return `import { ${name} } from 'millrace/connectors/${name}'`;
    for (const entry of ['millrace', ...entries])
      if ((await namesOf(entry)).includes(name)) return `import { ${name} } from '${entry}'`;
    const near = (await namesOf(module)).filter((other) => isNear(other.toLowerCase(), name.toLowerCase()));
    if (near.length > 0) return `did you mean ${near.slice(0, 3).join(' or ')}?`;
  }
  return `${module} has no "${name}": is the name spelt right? \`npx tsc --noEmit\` lists what it has`;
}

const isNear = (a: string, b: string): boolean =>
  a.slice(0, PREFIX) === b.slice(0, PREFIX) || editDistance([...a], [...b], LETTERS_MAX) <= LETTERS_MAX;
