import { describe, expect, it } from 'vitest';
import { fill, read } from './generated.js';
import { type OperatorPart, operatorPart } from './operator-options.js';
import { publishedOperators } from './published-operators.js';
import { markdownTable } from './tables.js';

// Options of every operator, as their interfaces say. `npx vitest run --project unit test/docs -u` writes the page anew.

const page = 'docs/guide/operators.md';
/** What takes plain RxJS has no options, and lies in the runtime. */
const parts = publishedOperators()
  .filter((name) => name !== 'rx')
  .map(operatorPart);

/** Types whose values are objects, and that a reader knows by their names. */
const objects =
  /^(Calibrator|Cascade|DriftDetector|Features|FeatureView|LearnDrift|Lookup|Pattern|SlicedSpec|WindowExpectations|WindowSpec)\b/;

/** What JavaScript sees of a type. */
function kindOf(type: string): string {
  if (/^\(.*?\) => /.test(type)) return 'function';
  if (type === 'text' || type === 'string') return 'text';
  if (type === 'number' || type === 'Duration') return 'number';
  if (type === 'boolean') return 'boolean';
  if (/^[^|]*\[\]$|^\([^()]*\)\[\]$/.test(type)) return 'list';
  if (/^(object|[AMO]|\{.*\})$/.test(type) && !type.includes('} |')) return 'object';
  return objects.exec(type)?.[0] ?? 'any';
}

const code = (text: string): string => `\`${text}\``;

function sectionOf({ name, doc, options }: OperatorPart): string {
  const rows = options.map((option) => [
    code(option.name),
    code(option.type),
    option.isRequired ? 'yes' : '',
    option.doc,
  ]);
  const table = rows.length === 0 ? [] : ['', markdownTable(['option', 'takes', 'needed', ''], rows)];
  return [`### ${code(name)}`, '', doc, ...table, ''].join('\n');
}

describe('the page of operators', () => {
  it('has every option of each, as the code says', async () => {
    const expected = fill(read(page), 'operators', parts.map(sectionOf).join('\n'));
    await expect(expected).toMatchFileSnapshot(`../../${page}`);
  });

  it('and the check of options know the same ones', async () => {
    const lines = parts.flatMap(({ name, options }) => {
      const own = options
        .filter((option) => !option.name.includes('.'))
        .flatMap((option) => [option, ...option.inner])
        .map(({ name: path, type, isRequired }) => [path, kindOf(type) + (isRequired ? '' : '?')] as const);
      const kinds = new Map(/join/i.test(name) ? [...own, ['combine', 'function'] as const] : own);
      const entries = [...kinds].map(([path, kind]) => `${/^\w+$/.test(path) ? path : `'${path}'`}: '${kind}'`);
      if (entries.length === 0) return [];
      const line = `  ${name}: { ${entries.join(', ')} },`;
      return line.length <= 120 ? [line] : [`  ${name}: {`, ...entries.map((entry) => `    ${entry},`), '  },'];
    });
    const text = [
      '// Generated from the interfaces of the options: `npx vitest run --project unit test/docs -u` writes it anew.',
      '',
      '/** The kind of each option of each operator, and of those in objects of options. One with `?` may be left out. */',
      'export const optionKinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {',
      ...lines,
      '};',
      '',
    ];
    await expect(text.join('\n')).toMatchFileSnapshot('../../src/operators/option-kinds.ts');
  });

  it('says of every option what it is', () => {
    const silent = parts.flatMap(({ name, options }) =>
      options.filter(({ doc }) => doc === '').map((option) => `${name}: ${option.name}`),
    );
    expect(silent).toEqual([]);
  });

  it('is read from the text of interfaces: their own, inherited and nested ones, with what overloads ask for', () => {
    const optionsOf = (name: string) => new Map(operatorPart(name).options.map((option) => [option.name, option]));
    const lookup = optionsOf('lookup');
    expect(lookup.get('from')).toMatchObject({ isRequired: true, type: 'Lookup<V>' });
    expect(lookup.get('cache.ttl')).toMatchObject({ isRequired: true, type: 'Duration' });
    expect(lookup.get('timeout')?.isRequired).toBe(false);
    const infer = optionsOf('infer');
    expect(infer.get('batchMax')?.isRequired).toBe(true); // of what both overloads extend
    expect(infer.get('inputs')?.isRequired).toBe(false); // of one of them
    expect(optionsOf('clip').get('mark')?.isRequired).toBe(false); // in an argument that may be missing
    expect(optionsOf('maskPii').get('fields')?.isRequired).toBe(true);
    expect(optionsOf('splitWords').size).toBe(5); // taken apart in its signature
    expect(optionsOf('window').get('emit')?.isRequired).toBe(false); // of a type with parameters of its own
    expect(optionsOf('windowOfChanges').get('keysMax')?.isRequired).toBe(true);
  });
});
