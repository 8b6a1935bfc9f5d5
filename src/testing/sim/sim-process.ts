import type { Clock } from '../../runtime/index.js';
import type { Chaos } from './chaos.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** Thrown where a process dies in the middle of synchronous code: nothing it does afterwards has any effect. */
export class Killed extends Error {}

const never = (): Promise<never> => new Promise(() => undefined);

/** A process of the simulation. A dead one is never answered again; a paused one is answered late. */
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
      every: () => () => undefined, // nothing hangs here: what is never answered is dead
    };
  }

  /**
   * The process has come to this place on its way into or out of a call. It may die here, stand still or merely lose
   * time; `undefined` where it goes on at once.
   */
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

  /** The same in synchronous code: death is an exception there. */
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
