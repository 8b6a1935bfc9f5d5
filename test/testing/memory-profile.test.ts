import { describe, expect, it } from 'vitest';
import { MemoryProfile } from '../../src/testing/memory-profile.js';

describe('the profile in memory', () => {
  it('takes more records at once than a stack holds', async () => {
    const profile = new MemoryProfile(1);
    const records = Array.from({ length: 200_000 }, (_, i) => ({ key: null, value: null, timestampMs: i }));
    profile.append('in', 0, records);
    const writer = await profile.sinks.kafka?.open({} as never, {
      step: 'out',
      task: { topology: 't', partition: 0 },
      incarnation: 0,
    });
    await profile.openLedger({ topology: 't', partition: 0 });
    const ledger = await profile.openLedger({ topology: 't', partition: 0 });
    await writer?.write(
      records,
      records.map(() => null as never),
    );
    await ledger.commit({ epoch: 1, positions: {} } as never, []);
    expect(profile.outputOf('out')).toHaveLength(200_000);
  });
});
