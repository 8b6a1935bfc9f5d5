import { parseAst } from 'rolldown/parseAst';
import { generator } from '../random.js';

/** One small change of a source file: `[start, end)` of its text becomes `to`. */
export interface Mutant {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  readonly from: string;
  readonly to: string;
}

/** A node of the ESTree of a file, as far as it is looked at here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const FLIPPED: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '&&': ['||'],
  '||': ['&&'],
};

/** What describes or reports, but decides nothing: changes of it are no faults that a test should look for. */
const WORDS = new Set(['TemplateLiteral', 'ImportDeclaration', 'ThrowStatement']);
const DESCRIBING = new Set(['settings', 'hint', 'message', 'where', 'doc', 'docs', 'help']);

/** All small faults that can be made in a file. Its types and its messages are left alone. */
export function faultsIn(file: string, text: string): Mutant[] {
  const found: Mutant[] = [];
  const lineOf = (at: number) => text.slice(0, at).split('\n').length;
  const add = (kind: string, start: number, end: number, to: string) =>
    found.push({ file, line: lineOf(start), kind, start, end, from: text.slice(start, end), to });
  const whole = (kind: string, { start, end }: Node, to: string) => add(kind, start, end, to);

  const operators = (node: Node) => {
    const [left, right] = [node.left as Node, node.right as Node];
    // The operator stands between its operands, which may be in parentheses.
    const between = text.slice(left.end, right.start);
    const at = left.end + between.indexOf(node.operator as string);
    if (node.operator === '+' && [left, right].some(isText)) return;
    for (const to of FLIPPED[node.operator as string] ?? [])
      add('operator', at, at + (node.operator as string).length, to);
  };
  const visit = (node: Node): void => {
    if (node.type === 'BinaryExpression' || node.type === 'LogicalExpression') operators(node);
    else if (node.type === 'ExpressionStatement' && !('directive' in node && node.directive))
      whole('dropped statement', node, ';');
    else if (node.type === 'IfStatement' || node.type === 'ConditionalExpression')
      for (const to of ['true', 'false']) whole('condition', node.test as Node, to);
    else if (node.type === 'ReturnStatement' && node.argument && (node.argument as Node).name !== 'undefined')
      whole('returned value', node.argument as Node, 'undefined as never');
    else if (node.type === 'UnaryExpression' && node.operator === '!')
      whole('negation', node, text.slice(node.start + 1, node.end)); // parentheses of the operand are no part of it
    else if (node.type === 'Literal' && typeof node.value === 'boolean') whole('constant', node, String(!node.value));
    else if (node.type === 'Literal' && typeof node.value === 'number')
      for (const to of [node.value + 1, node.value - 1]) whole('constant', node, `(${to})`);
    for (const child of childrenOf(node)) visit(child);
  };
  visit(parseAst(text, { lang: 'ts' }, file) as unknown as Node);
  // A condition that is a literal already changes nothing.
  return found.filter(({ from, to }) => from !== to);
}

const isText = ({ type, value }: Node): boolean =>
  type === 'TemplateLiteral' || (type === 'Literal' && typeof value === 'string');

function childrenOf(node: Node): Node[] {
  // What is wrapped in a type is code; everything else of TypeScript is types.
  if (/^TS(As|NonNull|Satisfies|Instantiation)/.test(node.type)) return [node.expression as Node];
  if (node.type.startsWith('TS') || WORDS.has(node.type)) return [];
  if (node.type === 'NewExpression' && (node.callee as Node).name === 'MillraceError') return [];
  if (node.type === 'Property' && DESCRIBING.has(String((node.key as Node).name))) return [];
  return Object.values(node)
    .flat()
    .filter((value): value is Node => typeof value === 'object' && value !== null && 'type' in value);
}

/** Draws so many faults, each as likely as any other: at most one of a line, in the order in which they are drawn. */
export function draw(faults: readonly Mutant[], seed: number, count: number): Mutant[] {
  const random = generator(seed);
  const left = [...faults];
  const drawn = new Map<string, Mutant>();
  while (drawn.size < count && left.length > 0) {
    const at = Math.floor(random() * left.length);
    const fault = left[at] as Mutant;
    left[at] = left.at(-1) as Mutant;
    left.pop();
    const place = `${fault.file}:${fault.line}`;
    if (!drawn.has(place)) drawn.set(place, fault);
  }
  return [...drawn.values()];
}

/** The text of a file with the fault in it. */
export const withFault = (text: string, { start, end, to }: Mutant): string =>
  text.slice(0, start) + to + text.slice(end);

/** The lines that it changes, as a diff. */
export function diffOf(text: string, mutant: Mutant): string {
  const first = text.lastIndexOf('\n', mutant.start - 1) + 1;
  const next = text.indexOf('\n', mutant.end);
  const last = next < 0 ? text.length : next;
  const marked = (mark: string, lines: string) => lines.replaceAll(/^/gm, mark);
  const changed = withFault(text.slice(0, last), mutant).slice(first);
  return `${marked('-', text.slice(first, last))}\n${marked('+', changed)}`;
}
