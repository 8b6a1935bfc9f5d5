import { url } from '../../src/connect/setting.js';
import { defineConnector } from '../../src/core/connector.js';
import type { Isolation } from '../../src/core/kind.js';
import { sinkKind, sourceKind, type WriteFiles } from '../file/kinds.js';
import { unfinishedParts } from '../file/rolling-writer.js';

/** The folder of a verification's objects, in the original bucket. */
const objectsOf = ({ folder }: Pick<WriteFiles, 'folder'>, { id }: Isolation): string =>
  `${folder.split('/')[0]}/${id}`;

/** Buckets of an object store, the same on both profiles: what `file` is for folders. */
export const definition = defineConnector({
  name: 's3',
  kinds: {
    source: {
      ...sourceKind,
      doc: 'Reads the objects whose keys fit a path, `BUCKET/KEY`, in the order of their keys, and then those that come.',
    },
    sink: {
      ...sinkKind,
      verify: {
        ...sinkKind.verify,
        isolate: (options: WriteFiles, isolation) => ({
          ...options,
          folder: `${objectsOf(options, isolation)}/${isolation.run}/${isolation.step}`,
        }),
      },
      doc: 'Writes rows to objects, lines or Parquet, each row into exactly one; the folder is `BUCKET/PREFIX`.',
    },
  },
  settings: {
    s3: url(
      ['http', 'https'],
      'http://127.0.0.1:9000',
      'Object store, on both profiles: `https://KEY:SECRET@host/?region=...`.',
    ),
  },
  unfinished: (committable) => unfinishedParts(committable, 's3'),
  async open({ schemas, settings: { s3: address } }) {
    const [{ openS3 }, { writtenOutput }] = await Promise.all([import('./open.js'), import('../file/written.js')]);
    const { source, sink, written } = openS3({ url: address, schemas });
    const remove = ({ folder }: WriteFiles, isolation: Isolation) => written.remove(objectsOf({ folder }, isolation));
    return { drivers: { source, sink }, written: { sink: writtenOutput(written, remove) } };
  },
});
