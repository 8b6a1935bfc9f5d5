import { openPartsOf } from '../../connectors/file/rolling-writer.js';
import { counted } from '../core/counted.js';
import { sinksOf } from '../runtime/index.js';
import type { Topology, Unfinished } from '../topology/index.js';

/** Connectors whose sinks write files over many epochs. */
const ofFiles: ReadonlySet<string> = new Set(['file', 's3']);

/** What sinks that a topology has no longer, or no longer as sinks of files, have begun and nobody ends. */
export function unfinishedIn(topology: Topology): Unfinished {
  const sinks = new Map(sinksOf(topology).map(({ id, sink }) => [id, sink]));
  return (id, receipt) =>
    ofFiles.has(sinks.get(id)?.connector ?? '')
      ? []
      : openPartsOf(receipt).map(({ name, rows }) => `${name} (${counted(rows, 'row')})`);
}
