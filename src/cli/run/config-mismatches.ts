import type { Drift, Profile } from '../../core/io.js';
import { driftText, driverOf } from '../../core/io.js';
import { sinksOf } from '../../runtime/index.js';
import { stagesOf, type Topology } from '../../topology/index.js';
import { counted } from '../../util/counted.js';

/** What is not as a sink declares it. */
export interface SinkDrift extends Drift {
  readonly sink: string;
}

/** Where the world of a profile differs from what the sinks of a topology declare; it is looked at and not changed. */
export async function driftOf(topology: Topology, profile: Profile): Promise<SinkDrift[]> {
  const found: SinkDrift[] = [];
  for (const stage of stagesOf(topology)) {
    for (const { id, sink } of sinksOf(stage)) {
      const drift = await driverOf(profile.sinks, sink)?.drift?.(sink);
      for (const each of drift ?? []) {
        // Stages share their dead letters.
        if (!found.some(({ what, setting }) => what === each.what && setting === each.setting))
          found.push({ sink: id, ...each });
      }
    }
  }
  return found;
}

/** As lines of text; none where nothing differs. */
export function driftLines(drift: readonly SinkDrift[]): string {
  const lines = drift.map((each) => {
    const refused = each.refused ? ' (a run would not start)' : '';
    return `  ${each.sink}: ${driftText(each)}${refused}\n    hint: ${each.hint}\n`;
  });
  return lines.length === 0 ? '' : `\n${counted(lines.length, 'difference')} from what is declared\n${lines.join('')}`;
}
