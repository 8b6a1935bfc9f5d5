import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repository } from '../import-graph.js';

// Options of operators are interfaces: what a table says of them is read from their text, which the formatter keeps uniform.

interface Member {
  readonly name: string;
  readonly isRequired: boolean;
  readonly type: string;
  readonly doc: string;
}

/** An option inside of another, with its path, as `label.late.within`. */
type Inner = Omit<Member, 'doc'>;

/** A member with the name of the option that it is a part of, as `cache.ttl`. */
export interface OptionRow extends Member {
  /** All options inside it, also of those that are explained as a whole. */
  readonly inner: readonly Inner[];
}

export interface OperatorPart {
  readonly name: string;
  /** The first paragraph of its docstring. */
  readonly doc: string;
  readonly options: readonly OptionRow[];
}

interface Source {
  readonly file: string;
  readonly text: string;
}

const folder = join(repository, 'src/operators');
const sources: readonly Source[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('index.ts'))
  .sort()
  .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }));

const DOC = String.raw`\/\*\*((?:[^*]|\*(?!\/))*)\*\/\n`;

/** A docstring without its frame: the paragraphs before diagrams and tags, on one line each. */
const paragraphsOf = (doc: string): string[] =>
  doc
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
    .split(/\n\n|\n(?=@)/)
    .map((paragraph) => paragraph.replaceAll(/\s+/g, ' '));

/** The text within the brackets that open at a place. */
function within(text: string, open: number): string {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(open + 1, at);
  }
  throw new Error('brackets that do not close');
}

/** The members of an interface's body. */
function membersOf(body: string): Member[] {
  const members: Member[] = [];
  let rest = body;
  for (;;) {
    const found = new RegExp(`^\\s*(?:${DOC})?\\s*(?:readonly )?(\\w+)(\\?)?: `).exec(rest);
    if (!found) return members;
    const [head, doc = '', name = '', optional] = found;
    const end = endOfType(rest, head.length, ';');
    const type = rest.slice(head.length, end).trim();
    members.push({ name, isRequired: optional === undefined, type, doc: paragraphsOf(doc).join(' ') });
    rest = rest.slice(end + 1);
  }
}

/** The rows of an interface's body, with those of nested objects. */
const optionsOf = (body: string, source: Source, before = ''): OptionRow[] =>
  membersOf(body).flatMap(({ name, isRequired, type, doc }) => {
    const path = before + name;
    const rows = isObject(type) ? optionsOf(within(type, 0), source, `${path}.`) : [];
    // What nobody explains one by one is explained as a whole.
    const parts = rows.some((row) => row.doc !== '') ? rows : [];
    const shown = parts.length > 0 ? 'object' : plain(type);
    return [{ name: path, isRequired, type: shown, doc, inner: inside(type, source, `${path}.`) }, ...parts];
  });

/** Types of objects that are written by hand. Those that a function makes have no names that a user could misspell. */
const byHand = new Set(['Cascade', 'FallbackModel', 'FallbackRule', 'LabelPolicies', 'LastScore', 'LearnDrift']);

/** The options in the objects that a type takes. Of several kinds of objects none asks for its own. */
const inside = (type: string, source: Source, before: string): Inner[] => {
  const alternatives = alternativesOf(type).filter((one) => one !== 'undefined');
  const options = alternatives.flatMap((one) => {
    if (isObject(one)) return insideOf(within(one, 0), source, before);
    const item = /^readonly \(?(.*?)\)?\[\]$/s.exec(one)?.[1];
    if (item !== undefined) return inside(item, source, `${before.slice(0, -1)}[].`);
    const named = namedIn(one, source);
    if (named === undefined) return [];
    return 'member' in named ? inside(named.member, named.source, before) : insideOf(named.body, named.source, before);
  });
  return alternatives.length === 1 ? options : options.map((option) => ({ ...option, isRequired: false }));
};

/** What a type by hand stands for: the body of its interface, or the type of the member that it names. */
function namedIn(type: string, source: Source) {
  const [, name = '', part] = /^(\w+)(?:<.*>)?(?:\['(\w+)'\])?$/s.exec(type) ?? [];
  const found = byHand.has(name) ? optionsNamed(name, source) : undefined;
  if (found === undefined || part === undefined) return found;
  return { source: found.source, member: membersOf(found.body).find((each) => each.name === part)?.type ?? '' };
}

function memberNamed(type: string, source: Source): string | undefined {
  const named = namedIn(type, source);
  return named !== undefined && 'member' in named ? named.member : undefined;
}

const insideOf = (body: string, source: Source, before: string): Inner[] =>
  membersOf(body).flatMap(({ name, isRequired, type }) => [
    { name: before + name, isRequired, type: plain(memberNamed(type, source) ?? type) },
    ...inside(type, source, `${before}${name}.`),
  ]);

const isObject = (type: string): boolean =>
  type.startsWith('{') && type.endsWith('}') && within(type, 0).length === type.length - 2;

/** The types of a union. */
function alternativesOf(type: string): string[] {
  const end = endOfType(type, 0, '|');
  return [type.slice(0, end).trim(), ...(end < type.length ? alternativesOf(type.slice(end + 1)) : [])];
}

/** Where a mark stands that is in no brackets. */
function endOfType(text: string, from: number, mark: ';' | '|'): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if ('({[<'.includes(text[at] as string)) depth += 1;
    if (')}]'.includes(text[at] as string) || (text[at] === '>' && text[at - 1] !== '=')) depth -= 1;
    if (depth === 0 && text[at] === mark) return at;
  }
  return text.length;
}

/** A type as a reader takes it: without what the compiler alone needs. */
const plain = (type: string): string =>
  type
    .replaceAll(/\/\*\*(?:[^*]|\*(?!\/))*\*\//g, '')
    .replaceAll('readonly ', '')
    .replaceAll(/NoInfer<([^<>]*)>/g, '$1')
    .replaceAll(' | undefined', '')
    .replaceAll(/\s+/g, ' ')
    .replace(/^\| /, '')
    .replace(/^As$/, 'text');

interface Options {
  readonly source: Source;
  readonly parents: readonly string[];
  readonly body: string;
}

/** The interface that a file means by a name: its own, or the one that it imports. */
function optionsNamed(name: string, { file, text }: Source): Options | undefined {
  const imported = new RegExp(`import [^;]*\\b${name}\\b[^;]*from '([^']+)\\.js'`).exec(text)?.[1];
  const wanted = imported === undefined ? file : join(dirname(file), `${imported}.ts`);
  const source = sources.find((one) => one.file === wanted);
  const found = source && new RegExp(`^(?:export )?interface ${name}\\b([^{]*)\\{`, 'm').exec(source.text);
  if (!source || !found) return undefined;
  const parents = namesIn(/ extends (.*)$/s.exec(found[1] ?? '')?.[1] ?? '');
  return { source, parents, body: within(source.text, found.index + found[0].length - 1) };
}

const namesIn = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/\b([A-Z]\w*Options)\b/g)].map(([, name = '']) => name)),
];

function rowsOf(name: string, from: Source): OptionRow[] {
  const found = optionsNamed(name, from);
  if (found === undefined) return [];
  const own = optionsOf(found.body, found.source);
  const names = new Set(own.map((row) => row.name));
  return [
    ...own,
    ...found.parents.flatMap((parent) => rowsOf(parent, found.source)).filter((row) => !names.has(row.name)),
  ];
}

/** What the rules of each field look like, where an operator takes an object of them. */
const ofEachField: Readonly<Record<string, string>> = { cleanText: 'CleanTextOptions' };

/** What the code says of an operator. */
export function operatorPart(name: string): OperatorPart {
  for (const source of sources) {
    const found = new RegExp(`${DOC}export (?:function ${name}\\b|const ${name} =)`).exec(source.text);
    if (!found) continue;
    const [head, doc = ''] = found;
    // All overloads, up to the first statement of the body.
    const signature =
      source.text
        .slice(found.index + head.length)
        .split(/\{\n {2}(?:const |return |let |if |requireOptions)|=>\n/)[0] ?? '';
    const overloads = signature.split(new RegExp(`export function ${name}\\b`));
    const published = overloads.length > 1 ? overloads.slice(0, -1) : overloads;
    const each = ofEachField[name];
    const names = each === undefined ? namesIn(signature) : [each];
    const rows = new Map(names.flatMap((one) => rowsOf(one, source)).map((row) => [row.name, row]));
    // Asked for by every overload; what stands in an argument that may be missing is not.
    const isAsked = (option: string) =>
      each !== undefined ||
      published.every((overload) =>
        namesIn(overload.replaceAll(/Partial<\w+Options/g, '')).some((one) =>
          rowsOf(one, source).some((row) => row.name === option && row.isRequired),
        ),
      );
    const options = [...rows.values()].map((row) => ({ ...row, isRequired: row.isRequired && isAsked(row.name) }));
    return { name, doc: paragraphsOf(doc)[0] ?? '', options };
  }
  throw new Error(`${name} has no docstring`);
}
