import { MillraceError } from '../../../src/core/errors.js';

const COMMENTS = String.raw`(?:\s|/\*[^]*?\*/|--[^\n]*\n|#[^\n]*\n)*`;

/**
 * Access to the engine's files despite grants and `readonly`: the scalar function `file`, and `INTO OUTFILE` and `FROM INFILE`,
 * which the embedded engine executes itself. A quoted name with an escape could be any of them.
 */
const FILE_ACCESS = new RegExp(
  String.raw`\b(?:out|in)file\b|\bfile["\`]?${COMMENTS}\(|["\`][^"\`]*\\[^"\`]*["\`]${COMMENTS}\(`,
  'i',
);

/** Whether a statement may access files. It does not parse texts and comments, so it may refuse harmless statements. */
export const mayReachFiles = (sql: string): boolean => FILE_ACCESS.test(sql);

/** @throws MillraceError `config` for a statement that may access files. */
export function refuseFileAccess(sql: string): void {
  if (!mayReachFiles(sql)) return;
  throw new MillraceError(
    'config',
    'the statement may only read tables and must not contain `file(`, OUTFILE or INFILE',
    {
      where: 'query',
      hint: '`millrace query --write` lets it do more',
    },
  );
}
