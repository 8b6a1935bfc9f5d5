import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Names {
  readonly brokers: string;
  readonly transfers: string;
  readonly between: string;
  readonly balances: string;
  readonly group: string;
}

export interface Look {
  readonly booked: number;
  /** Transfers of which one leg was to be seen. */
  readonly single: number;
  readonly wrong: Readonly<Record<string, number>>;
}

export interface Verdict {
  readonly transfers: number;
  readonly accounts: Readonly<Record<string, number>>;
  readonly wrong: Readonly<Record<string, number>>;
}

/** The independent reader in `check.py`, as a process that is asked and answers. */
export function startChecker(names: Names) {
  const script = fileURLToPath(new URL('check.py', import.meta.url));
  const child = spawn(process.env.MILLRACE_PYTHON ?? 'python3', [script, JSON.stringify(names)]);
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<unknown> => {
    child.stdin.write(`${question}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`the checker ended: ${errors}`);
    return JSON.parse(value);
  };
  return {
    look: () => ask('look') as Promise<Look>,
    end: () => ask('end') as Promise<Verdict>,
    close: () => child.stdin.end(),
  };
}
