import { MillraceError } from '../core/errors.js';

/** The output of a command; tests pass their own. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
}

/** The closed set of exit codes. With `passing` a process of several asks to be started again (EX_TEMPFAIL of sysexits). */
export const exitCodes = { ok: 0, failed: 1, usage: 2, unaccepted: 3, passing: 75, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface ErrorStyle {
  /** One JSON object on standard output instead of text on standard error. */
  readonly json?: boolean | undefined;
  /** Include causes and stacks. */
  readonly verbose?: boolean | undefined;
}

/** Prints an error as what, where and hint, with the stack only if requested. */
export function reportError(terminal: Terminal, error: unknown, { json, verbose }: ErrorStyle = {}): void {
  const facts = errorFacts(error);
  if (json) {
    terminal.out(`${JSON.stringify({ error: facts })}\n`);
    return;
  }
  const { code, message, where, hint } = facts;
  const lines = [`error (${code}): ${message}`];
  if (where !== undefined) lines.push(`  where: ${where}`);
  if (hint !== undefined) lines.push(`  hint:  ${hint}`);
  if (verbose) lines.push(...stacksOf(error));
  else if (code === 'internal') lines.push('  hint:  --verbose prints where it came from');
  terminal.err(`${lines.join('\n')}\n`);
}

export interface ErrorFacts {
  readonly code: string;
  readonly message: string;
  readonly where?: string | undefined;
  readonly hint?: string | undefined;
}

/** What an error says, without its causes. */
export function errorFacts(error: unknown): ErrorFacts {
  if (isMillraceError(error)) {
    const { code, message, where, hint } = error;
    return { code, message, where, hint };
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

/** By its name: a topology that imports another installed copy throws that copy's class. */
const isMillraceError = (error: unknown): error is MillraceError =>
  error instanceof MillraceError || (error instanceof Error && error.name === 'MillraceError' && 'code' in error);

/** The stacks of an error and its causes. */
export function stacksOf(error: unknown): string[] {
  const lines: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    lines.push('', `${lines.length > 0 ? 'caused by ' : ''}${cause.stack ?? cause.message}`);
  }
  return lines;
}
