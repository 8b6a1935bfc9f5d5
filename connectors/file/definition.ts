import { defineConnector } from '../../src/core/connector.js';
import type { Isolation } from '../../src/core/kind.js';
import * as kind from './kinds.js';
import { foldersOf, type WriteFiles } from './kinds.js';
import { unfinishedParts } from './rolling-writer.js';

/** Files of this machine, the same on both profiles. */
export const definition = defineConnector({
  name: 'file',
  kinds: { source: kind.sourceKind, tailSource: kind.tailKind, sink: kind.sinkKind },
  unfinished: (committable) => unfinishedParts(committable, 'file'),
  async open({ schemas }) {
    const [{ openFiles }, { writtenOutput }] = await Promise.all([import('./open.js'), import('./written.js')]);
    const { source, sink, written } = openFiles({ schemas });
    const remove = (_options: WriteFiles, isolation: Isolation) => written.remove(foldersOf(isolation));
    return { drivers: { source, tailSource: source, sink }, written: { sink: writtenOutput(written, remove) } };
  },
});
