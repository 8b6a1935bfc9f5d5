import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

// Reads what the compiler writes as declarations (.d.ts), to say what an entry point exports. Just enough of a parser for that:
// statements, their names, and the comment before each.

/** A name that an entry point exports. */
export interface Exported {
  readonly name: string;
  /** Whether there is something of that name at run time. */
  readonly isValue: boolean;
  readonly isFunction: boolean;
  /** Its declaration without comments; several of a function with overloads. */
  readonly text: string;
  /** What the docstring says; empty where there is none. */
  readonly doc: string;
}

interface Statement {
  readonly text: string;
  readonly doc: string;
}

/** Everything that the entry point of this declaration file exports, by name. */
export function exportsOf(file: string): readonly Exported[] {
  const found = new Map<string, Exported>();
  for (const { text, doc } of statementsOf(file)) {
    const declared = declarationIn(text);
    if (declared && /^export\b/.test(text)) {
      const before = found.get(declared.name);
      found.set(
        declared.name,
        before ? { ...before, text: `${before.text}\n${plain(text)}` } : exported(declared, text, doc),
      );
    }
    const all = /^export \* from '(.+)';$/.exec(text);
    if (all) for (const one of exportsOf(target(file, all[1]))) found.set(one.name, one);
    const space = /^export \* as (\w+) from '(.+)';$/.exec(text);
    if (space) {
      const [, name = '', from] = space;
      const members = exportsOf(target(file, from)).map((one) => one.text.replaceAll(/^/gm, '  '));
      const body = `namespace ${name} {\n${members.join('\n')}\n}`;
      found.set(name, { name, isValue: true, isFunction: false, text: body, doc });
    }
    const some = /^export (type )?\{([^}]*)\}(?: from '(.+)')?;$/.exec(text);
    if (some) {
      for (const { name, as, isType } of specifiersIn(some[2] ?? '')) {
        const original = some[3] === undefined ? localOf(file, name) : exportOf(target(file, some[3]), name);
        if (original) found.set(as, { ...original, name: as, isValue: original.isValue && !isType && !some[1] });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const exportOf = (file: string, name: string): Exported | undefined => exportsOf(file).find((one) => one.name === name);

/** A name that is declared in a file, or imported by it. */
function localOf(file: string, name: string): Exported | undefined {
  for (const { text, doc } of statementsOf(file)) {
    const declared = declarationIn(text);
    if (declared?.name === name) return exported(declared, text, doc);
    const imported = /^import (?:type )?\{([^}]*)\} from '(.+)';$/.exec(text);
    const one = imported && specifiersIn(imported[1] ?? '').find(({ as }) => as === name);
    if (imported && one) return exportOf(target(file, imported[2]), one.name);
  }
  return undefined;
}

const target = (file: string, specifier = ''): string => join(dirname(file), specifier.replace(/\.js$/, '.d.ts'));

const specifiersIn = (list: string) =>
  list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const [, type, name = '', as = name] = /^(type )?(\w+)(?: as (\w+))?$/.exec(part) ?? [];
      return { name, as, isType: type !== undefined };
    });

const declarationIn = (text: string) => {
  const [, kind, name] =
    /^(?:export )?(?:declare )?(?:abstract )?(const|let|function|class|interface|type|enum) (\w+)/.exec(text) ?? [];
  return kind === undefined || name === undefined ? undefined : { kind, name };
};

const exported = ({ kind, name }: { kind: string; name: string }, text: string, doc: string): Exported => ({
  name,
  isValue: !['interface', 'type'].includes(kind),
  isFunction:
    kind === 'function' || (kind === 'const' && /^(?:export )?(?:declare )?const \w+: (?:<[^(]*>)?\(/.test(text)),
  text: plain(text),
  doc,
});

/** Without comments, and without the words that say that it is exported. */
const plain = (text: string): string =>
  text
    .replaceAll(/\/\*\*?(?:[^*]|\*(?!\/))*\*\/\n?[ \t]*/g, '')
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/import\("[^"]*"\)\./g, '') // where a type is declared is nobody's business
    .replace(/^export (?:declare )?/, '');

const known = new Map<string, readonly Statement[]>();

function statementsOf(file: string): readonly Statement[] {
  const statements = known.get(file) ?? parse(readFileSync(file, 'utf8'));
  known.set(file, statements);
  return statements;
}

function parse(text: string): Statement[] {
  const statements: Statement[] = [];
  let at = 0;
  let doc = '';
  while (at < text.length) {
    if (/\s/.test(text[at] as string)) at += 1;
    else if (text.startsWith('//', at)) at = lineEnd(text, at);
    else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at) + 2;
      if (text.startsWith('/**', at)) doc = docText(text.slice(at, end));
      at = end;
    } else {
      const end = statementEnd(text, at);
      statements.push({ text: text.slice(at, end), doc });
      doc = '';
      at = end;
    }
  }
  return statements;
}

/** Behind the semicolon, or behind the closing brace of what has none. */
function statementEnd(text: string, from: number): number {
  const endsWithBrace = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|class|enum|namespace)\b/.test(
    text.slice(from, from + 60),
  );
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const letter = text[at] as string;
    if (text.startsWith('/*', at)) at = text.indexOf('*/', at) + 1;
    else if (text.startsWith('//', at)) at = lineEnd(text, at);
    else if (`'"\``.includes(letter)) at = text.indexOf(letter, at + 1);
    else if ('{(['.includes(letter)) depth += 1;
    else if ('})]'.includes(letter)) depth -= 1;
    if (depth === 0 && (letter === ';' || (endsWithBrace && letter === '}'))) return at + 1;
  }
  return text.length;
}

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
};

const docText = (comment: string): string =>
  comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .replaceAll(/^\s*\* ?/gm, '')
    .trim();
