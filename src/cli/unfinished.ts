import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { completePartsOf, openPartsOf } from '../../connectors/file/rolling-writer.js';
import { sinksOf } from '../runtime/index.js';
import type { Topology, Unfinished } from '../topology/index.js';

/** Connectors whose sinks write files over many epochs. */
const ofFiles: ReadonlySet<string> = new Set(['file', 's3']);

/**
 * What sinks that a topology has no longer, or no longer as sinks of files, have begun and nobody ends: files that have not ended,
 * and complete ones that are not where they were to be shown after the checkpoint. Of objects that is not looked at.
 */
export function unfinishedIn(topology: Topology): Unfinished {
  const sinks = new Map(sinksOf(topology).map(({ id, sink }) => [id, sink]));
  return (id, committable) =>
    ofFiles.has(sinks.get(id)?.connector ?? '') ? [] : [...openIn(committable), ...notShownIn(committable)];
}

const openIn = (committable: unknown): string[] =>
  openPartsOf(committable).map(({ name, rows }) => `${name} (${rows} rows)`);

function notShownIn(committable: unknown): string[] {
  const { place, parts } = completePartsOf(committable);
  const isHere = place?.connector === 'file';
  const said = isHere ? 'complete, not shown yet' : 'complete; shown already, unless the process died before it was';
  return parts
    .filter(({ name }) => !isHere || !existsSync(join(place.folder, name)))
    .map(({ name, rows }) => `${name} (${rows === undefined ? '' : `${rows} rows, `}${said})`);
}
