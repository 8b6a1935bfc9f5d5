import { MillraceError } from '../../../src/core/errors.js';

const COMMENTS = String.raw`(?:\s|/\*[^]*?\*/|--[^\n]*\n|#[^\n]*\n)*`;

/**
 * What reads and writes files of the engine's machine past its grants and its `readonly` setting: the scalar function `file`, and
 * `INTO OUTFILE` and `FROM INFILE`, which the embedded engine carries out by itself. A quoted name with an escape could be
 * any of them.
 */
const FILE_ACCESS = new RegExp(
  String.raw`\b(?:out|in)file\b|\bfile["\`]?${COMMENTS}\(|["\`][^"\`]*\\[^"\`]*["\`]${COMMENTS}\(`,
  'i',
);

/** Whether a statement may reach files. Texts and comments are not told apart from the statement: it errs on the safe side. */
export const mayReachFiles = (sql: string): boolean => FILE_ACCESS.test(sql);

/** @throws MillraceError `config` for a statement that may reach files. */
export function refuseFileAccess(sql: string): void {
  if (!mayReachFiles(sql)) return;
  throw new MillraceError('config', 'the statement may only read tables, and it names `file(`, OUTFILE or INFILE', {
    where: 'query',
    hint: '`millrace query --write` lets it do more',
  });
}
