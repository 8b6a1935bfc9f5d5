import type { Clock } from '../../runtime/index.js';
import type { Chaos } from './chaos.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** Thrown if a process dies in synchronous code; nothing that it does afterwards has an effect. */
export class Killed extends Error {}

const never = (): Promise<never> => new Promise(() => undefined);

/** A process of the simulation. A dead one never gets an answer, a paused one gets it late. */
export class SimProcess {
  alive = true;
  pausedUntilMs = 0;
  readonly clock: Clock;

  constructor(
    readonly name: string,
    private readonly time: VirtualTime,
    private readonly chaos: Chaos,
    private readonly random: Random,
    private readonly isCrashDue: () => boolean,
    private readonly onPaused: (process: SimProcess) => void,
    private readonly onDied: (process: SimProcess) => void,
  ) {
    const skewMs = random.int(2_000);
    this.clock = {
      now: () => time.nowMs + skewMs,
      sleep: async (ms) => {
        await time.sleep(ms);
        await this.reach('sleep');
      },
      every: () => () => undefined, // no call hangs here: a call without an answer belongs to a dead process
    };
  }

  /** The process begins or ends a call here. It may die, be suspended or lose time; `undefined` if it continues at once. */
  reach(where: string): Promise<void> | undefined {
    if (!this.alive) return never();
    if (this.chaos.strikes('crash', `${this.name} ${where}`, this.isCrashDue())) {
      this.die();
      return never();
    }
    if (this.chaos.strikes('pause', `${this.name} ${where}`)) {
      this.pausedUntilMs = this.time.nowMs + 50 + this.random.int(3_000);
      this.onPaused(this);
    }
    const delayMs = this.chaos.delayMs();
    return delayMs > 0 || this.isPaused ? this.wait(delayMs) : undefined;
  }

  /** The same in synchronous code, where death is an exception. */
  pass(where: string): void {
    if (!this.alive) throw new Killed();
    if (!this.chaos.strikes('crash', `${this.name} ${where}`, this.isCrashDue())) return;
    this.die();
    throw new Killed();
  }

  get isPaused(): boolean {
    return this.pausedUntilMs > this.time.nowMs;
  }

  private die(): void {
    this.alive = false;
    this.onDied(this);
  }

  private async wait(ms: number): Promise<void> {
    if (ms > 0) await this.time.sleep(ms);
    while (this.isPaused) await this.time.sleep(this.pausedUntilMs - this.time.nowMs);
    if (!this.alive) await never();
  }
}
