import { INTERNAL } from '../../core/internal.js';
import { writeModeOn } from '../../core/kind.js';
import { type Profile, sinkDriver } from '../../core/profile.js';
import type { ConfigMismatch, Sink } from '../../core/sink.js';
import { mismatchText } from '../../core/sink.js';
import { sinksOf } from '../../runtime/index.js';
import { subtopologiesOf, type Topology } from '../../topology/index.js';
import { counted } from '../../util/counted.js';

/** What is not as a sink declares it. */
export interface SinkMismatch extends ConfigMismatch {
  readonly sink: string;
}

/** Chooses sinks. */
export type SinkFilter = (sink: Sink<never>) => boolean;

/** Whether a sink writes to the embedded store itself: to look at its target opens nothing else. */
export const isStored: SinkFilter = ({ connector, definition }) =>
  connector === INTERNAL || (definition !== undefined && writeModeOn(definition, 'embedded') === 'transactional');

/** Where the world of a profile differs from what the sinks of a topology declare; it is looked at and not changed. */
export async function mismatchesOf(
  topology: Topology,
  profile: Profile,
  which: SinkFilter = () => true,
): Promise<SinkMismatch[]> {
  const found: SinkMismatch[] = [];
  for (const subtopology of subtopologiesOf(topology)) {
    for (const { id, sink } of sinksOf(subtopology).filter(({ sink }) => which(sink))) {
      const mismatches = await (await sinkDriver(profile, sink, id)).mismatches?.(sink);
      for (const each of mismatches ?? []) {
        // Sub-topologies share their dead letters.
        if (!found.some(({ what, setting }) => what === each.what && setting === each.setting))
          found.push({ sink: id, ...each });
      }
    }
  }
  return found;
}

/** As lines of text; none where nothing differs. */
export function mismatchLines(mismatches: readonly SinkMismatch[]): string {
  const lines = mismatches.map((each) => {
    const refused = each.refused ? ' (a run would not start)' : '';
    return `  ${each.sink}: ${mismatchText(each)}${refused}\n    hint: ${each.hint}\n`;
  });
  return lines.length === 0 ? '' : `\n${counted(lines.length, 'difference')} from the declaration\n${lines.join('')}`;
}
