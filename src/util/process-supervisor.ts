import type { ChildProcess } from 'node:child_process';
import { MillraceError, messageOf } from '../core/errors.js';
import { pause } from './pause.js';
import { backOffMs } from './retry.js';
import { exitCodes } from './terminal.js';

export interface ProcessSupervisorOptions {
  readonly processes: number;
  /** Starts the process with this number. */
  start(index: number): ChildProcess;
  /** Called with a message of a process. */
  onNews(index: number, news: unknown): void;
  /** Called after an unexpected death, before the restart; resolves when others can take over its work. */
  onDeath(index: number): Promise<void>;
  onWarning(message: string): void;
  /** The first pause before a restart; 200 ms by default. */
  readonly waitMs?: number;
  /** A process that lived this long did not die of a failed start; 30 s by default. */
  readonly livedMs?: number;
}

const BACK_OFF_MS = 200;
const BACK_OFF_MAX_MS = 10_000;
const LIVED_MS = 30_000;
/** Early deaths in a row after which the run ends. */
const DEATHS_MAX = 10;

/**
 * Keeps a number of processes running. One that dies of a signal (killed, out of memory) is restarted, with growing pauses, and so
 * is one that ends with `exitCodes.passing`, as often as it does. One that ends with code 0 has finished. One that ends with another
 * code has failed permanently, and the others are asked to stop.
 *
 * Started processes need a channel (`stdio: 'ipc'`): when this process dies, the channel closes and they can stop.
 */
export class ProcessSupervisor {
  private readonly children = new Map<number, ChildProcess>();
  private readonly waiting = new AbortController();
  private failure: MillraceError | undefined;
  /** Resolves when all have ended; rejects if one failed. */
  readonly finished: Promise<void>;

  constructor(private readonly options: ProcessSupervisorOptions) {
    process.once('exit', this.killAll);
    const processes = Array.from({ length: options.processes }, (_, index) => this.keepAlive(index));
    this.finished = Promise.all(processes).then(() => {
      process.off('exit', this.killAll);
      if (this.failure) throw this.failure;
    });
  }

  /** Ids of the running processes, by number. */
  get pids(): ReadonlyMap<number, number> {
    return new Map([...this.children].flatMap(([index, { pid }]) => (pid === undefined ? [] : [[index, pid]])));
  }

  /** Asks every process to drain, commit and end. */
  stop(): void {
    this.waiting.abort();
    for (const child of this.children.values()) child.kill('SIGTERM');
  }

  private async keepAlive(index: number): Promise<void> {
    const { onDeath, onWarning, waitMs: firstMs = BACK_OFF_MS, livedMs = LIVED_MS } = this.options;
    for (let deaths = 0; !this.waiting.signal.aborted; ) {
      const startedMs = performance.now();
      const { code, signal } = await this.runOnce(index);
      if (code === 0) return;
      const isPassing = code === exitCodes.passing;
      if (code !== null && !isPassing) {
        this.fail(`process ${index} ended with code ${code}`, 'its error is printed above');
        return;
      }
      try {
        await onDeath(index);
      } catch (error) {
        onWarning(
          `process ${index} cannot be removed from its consumer group, which removes it after the session timeout: ${messageOf(error)}`,
        );
      }
      if (this.waiting.signal.aborted) return;
      deaths = performance.now() - startedMs > livedMs ? 1 : deaths + 1;
      if (deaths >= DEATHS_MAX && !isPassing) {
        this.fail(`process ${index} died ${deaths} times in a row, last of ${signal}`, 'has it enough memory?');
        return;
      }
      const what = isPassing ? 'failed for now' : `died of ${signal}`;
      onWarning(`process ${index} ${what} and is restarted`);
      const waitMs = backOffMs(deaths, { waitMs: firstMs, waitMaxMs: BACK_OFF_MAX_MS }, Math.random);
      await pause(waitMs, this.waiting.signal); // `stop` ends the wait
    }
  }

  private runOnce(index: number): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    const child = this.options.start(index);
    this.children.set(index, child);
    child.on('message', (news) => this.options.onNews(index, news));
    return new Promise((resolve, reject) => {
      const over = () => {
        if (this.children.get(index) === child) this.children.delete(index);
      };
      child.once('error', (cause) => {
        if (child.pid !== undefined) return; // a signal could not be sent
        over();
        reject(new MillraceError('internal', 'a process cannot be started', { cause }));
      });
      child.once('exit', (code, signal) => {
        over();
        resolve({ code, signal });
      });
    });
  }

  private fail(message: string, hint: string): void {
    this.failure ??= new MillraceError('step', message, { hint });
    this.stop();
  }

  /** The last resort, if this process ends before them. */
  private readonly killAll = (): void => {
    for (const child of this.children.values()) child.kill('SIGKILL');
  };
}
