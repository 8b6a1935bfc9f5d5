import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { address } from '../address.js';

const script = fileURLToPath(new URL('client.py', import.meta.url));

/** One process of clients written by others; it answers line by line. */
export interface PythonClient {
  /** What it answers. @throws Error with what went wrong there. */
  ask<T>(task: { readonly op: string }): Promise<T>;
  end(): Promise<void>;
}

export function startPython(): PythonClient {
  const python = process.env.MILLRACE_PYTHON ?? 'python3';
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const errors = text(child.stderr);
  let last: Promise<unknown> = Promise.resolve();
  const answer = async (task: object) => {
    const services = { kafka: address('MILLRACE_KAFKA'), registry: address('MILLRACE_REGISTRY') };
    child.stdin.write(`${JSON.stringify({ ...task, ...services })}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`the foreign client ended: ${await errors}`);
    const { failed, ...rest } = JSON.parse(value) as { failed?: string };
    if (failed !== undefined) throw new Error(`the foreign client: ${failed}`);
    return rest;
  };
  return {
    /** One after another: an answer belongs to the task before it. */
    ask<T>(task: object): Promise<T> {
      const asked = last.then(() => answer(task));
      last = asked.catch(() => undefined);
      return asked as Promise<T>;
    },
    async end() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'close');
    },
  };
}
