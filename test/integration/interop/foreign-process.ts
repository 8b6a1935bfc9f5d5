import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { kafkaJars } from '../../../stack/services/kafka.js';
import { cacheFolder } from '../../../stack/stack.js';
import { address } from '../address.js';

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** One process of clients written by others; it answers line by line. */
export interface ForeignProcess {
  /** What it answers. @throws Error with what went wrong there. */
  ask<T>(task: { readonly op: string }): Promise<T>;
  end(): Promise<void>;
}

export const startPython = (): ForeignProcess => start(process.env.MILLRACE_PYTHON ?? 'python3', [beside('client.py')]);

/** Kafka's own client, of the version that the stack runs; it is compiled as it starts. */
export async function startJava(): Promise<ForeignProcess> {
  const jars = await kafkaJars(cacheFolder(), () => undefined);
  // Its lines are UTF-8 whatever the locale is.
  const utf8 = ['-Dfile.encoding=UTF-8', '-Dstdout.encoding=UTF-8'];
  return start('java', [...utf8, '-cp', `${jars}/*`, beside('Client.java')]);
}

function start(command: string, args: readonly string[]): ForeignProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
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
