import { createInference } from '../../src/inference/index.js';
import { runByEngine } from './by-engine.js';
import { runByHand } from './by-hand.js';
import type { WorkOrder } from './task.js';

// A process of its own, so that CPU is that of the work alone: runs what its parent sends, until the parent lets it go.

const inference = createInference();
process.on('message', async (order: WorkOrder) => {
  try {
    const run = order.by === 'engine' ? await runByEngine(order, inference) : await runByHand(order, inference);
    process.send?.({ run });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
process.on('disconnect', () => process.exit());
