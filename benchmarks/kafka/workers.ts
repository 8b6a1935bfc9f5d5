import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Run } from '../pairs.js';
import type { WorkOrder } from './task.js';

type Answer = { readonly run: Run; readonly error?: undefined } | { readonly run?: undefined; readonly error: string };

/** A process that does what it is told, run after run: warm after the first. */
export class WorkerProcess {
  private readonly child: ChildProcess;

  constructor() {
    const { href } = new URL('./worker.ts', import.meta.url);
    this.child = fork(fileURLToPath(href), { execArgv: process.execArgv });
  }

  do(order: WorkOrder): Promise<Run> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`the worker ended with code ${code}`));
      this.child.once('exit', onExit);
      this.child.once('message', ({ run, error }: Answer) => {
        this.child.off('exit', onExit);
        if (run) resolve(run);
        else reject(new Error(error));
      });
      this.child.send(order);
    });
  }

  end(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
