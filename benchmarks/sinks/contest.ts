import type { Server, Services } from './services.js';
import type { Side } from './side.js';

/** A sink beside its client by hand. */
export interface Contest {
  readonly name: string;
  /** What the client does, for whoever reads the figures. */
  readonly byHand: string;
  /** Servers that it writes to. */
  readonly needs: readonly Server[];
  /** Of one run. */
  readonly records: number;
  open(services: Services): Promise<Sides>;
}

/** Opened anew for each run: `run` makes names fresh. */
export interface Sides {
  sink(run: string): Promise<Side>;
  byHand(run: string): Promise<Side>;
  close(): Promise<void>;
}
