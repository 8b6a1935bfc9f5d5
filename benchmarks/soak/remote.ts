import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a process does when it is asked, by name. */
export type Services = Readonly<Record<string, (argument: never) => unknown>>;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Answers the questions of the process that started this one, and ends with it. */
export function serve(services: Services): void {
  process.on('message', async ({ id, name, argument }: Question) => {
    const answer = (rest: Omit<Answer, 'id'>) => process.send?.({ id, ...rest });
    try {
      answer({ value: await services[name]?.(argument as never) });
    } catch (error) {
      answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
}

type Asked<S extends Services> = {
  readonly [K in keyof S]: (...argument: Parameters<S[K]>) => Promise<Awaited<ReturnType<S[K]>>>;
};

/** A process of its own, and its services as asynchronous functions. */
export class Remote<S extends Services> {
  private readonly child: ChildProcess;
  private readonly open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private lastId = 0;

  constructor(file: URL) {
    this.child = fork(fileURLToPath(file), { execArgv: process.execArgv });
    this.child.on('message', ({ id, value, error }: Answer) => {
      const question = this.open.get(id);
      this.open.delete(id);
      if (error === undefined) question?.resolve(value);
      else question?.reject(new Error(error));
    });
    this.child.once('exit', (code) => {
      for (const { reject } of this.open.values()) reject(new Error(`${file.pathname} ended with code ${code}`));
      this.open.clear();
    });
  }

  readonly ask = new Proxy(
    {},
    {
      get: (_, name: string) => (argument?: unknown) =>
        new Promise((resolve, reject) => {
          const id = ++this.lastId;
          this.open.set(id, { resolve, reject });
          this.child.send({ id, name, argument } satisfies Question);
        }),
    },
  ) as Asked<S>;

  end(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
