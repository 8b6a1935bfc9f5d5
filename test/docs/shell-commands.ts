import { filesUnder } from '../import-graph.js';
import { read } from './generated.js';

// The commands that documents show: in blocks of a shell, after `$` in blocks of text, and in code within sentences.

export interface ShownCommand {
  readonly document: string;
  readonly words: readonly string[];
  /** As the document has it, without its comment. */
  readonly text: string;
  /** Whether it stands in a block: a whole command, to be copied. */
  readonly isWhole: boolean;
}

/** What readers are told to do today. Decision records and the changelog tell what was. */
const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'SECURITY.md'],
  ...filesUnder(['docs/guide', 'docs/connectors'], (name) => name.endsWith('.md') && name !== 'commands.md'),
];

/** The words of a line as a shell takes them apart, with redirections left out. */
export const wordsOf = (line: string): string[] =>
  [...line.replace(/ [<>] \S+/, '').matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );

const withoutComment = (line: string) => line.replace(/(^|\s)#.*$/, '').trim();
/** `a && b` and `eval "$(a)"` are commands that run others. */
const commandsIn = (line: string) => line.replace(/^eval "\$\((.*)\)"$/, '$1').split(/ && | \| |; /);

function linesOf(document: string): { readonly text: string; readonly isWhole: boolean }[] {
  const text = read(document).replaceAll(/^ +(?=```)/gm, '');
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].flatMap(([, language = '', body = '']) => {
    const lines = body.replaceAll(/\\\n\s*/g, '').split('\n');
    if (['sh', 'bash', 'shell'].includes(language)) return lines;
    return language === 'text' ? lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2)) : [];
  });
  const spans = [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/`((?:millrace|npx|npm) [^`]+)`/g)];
  return [
    ...blocks.map((line) => ({ text: withoutComment(line), isWhole: true })),
    ...spans.map(([, span = '']) => ({ text: span.replaceAll('\n', ' '), isWhole: false })),
  ];
}

export const shownCommands: readonly ShownCommand[] = documents.flatMap((document) =>
  linesOf(document)
    .flatMap(({ text, isWhole }) => commandsIn(text).map((command) => ({ text: command.trim(), isWhole })))
    .filter(({ text }) => text !== '')
    .map(({ text, isWhole }) => ({ document, text, isWhole, words: wordsOf(text) })),
);

/** The words behind `millrace` of those that run it. */
export function millraceArgs({ words }: Pick<ShownCommand, 'words'>): readonly string[] | undefined {
  const own = words[0] === 'npx' ? words.slice(words[1] === '--no-install' ? 2 : 1) : words;
  return own[0] === 'millrace' ? own.slice(1) : undefined;
}
