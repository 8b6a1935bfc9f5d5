import type { ErrorCode } from '../../core/errors.js';
import type { TopologyProblem } from '../../topology/index.js';

/** A problem with the code of the error that a run would raise. */
export interface CodedProblem extends TopologyProblem {
  readonly code: ErrorCode;
}

/** As lines of text; none where there is no problem. */
export const problemLines = (problems: readonly CodedProblem[]): string =>
  problems.map(({ code, where, message, hint }) => `  ${where} (${code}): ${message}\n    hint: ${hint}\n`).join('');
