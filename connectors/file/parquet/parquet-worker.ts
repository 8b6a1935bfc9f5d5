import { serveCalls } from '../../../src/util/worker-thread.js';
import { decodeParquet } from './parquet-decode.js';
import { buffersOf, type Decoding, type Next } from './parquet-protocol.js';

// The entry of the thread that decodes Parquet: one file at a time, one row group ahead of its reader.

interface Asked {
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: Error) => void;
}

serveCalls<Decoding>(
  ({ onProgress }) => {
    const asked = new Map<number, Asked>();
    let nextId = 0;
    let room: () => void = () => undefined;
    /** Events not yet delivered, and waiting receivers. */
    const told: Promise<Next>[] = [];
    let listener: ((next: Promise<Next>) => void) | undefined;

    function tell(next: Next | Promise<never>): void {
      const promise = Promise.resolve(next);
      promise.catch(() => undefined); // the answer reports it
      if (listener) listener(promise);
      else told.push(promise);
      listener = undefined;
    }
    const next = (): Promise<Next> =>
      told.shift() ??
      new Promise((resolve) => {
        listener = resolve;
      });

    const read = (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> =>
      new Promise((resolve, reject) => {
        const id = nextId++;
        asked.set(id, { resolve, reject });
        tell({ kind: 'read', id, start, end });
      });

    async function decode(file: Decoding['open']['ask']): Promise<void> {
      for await (const group of decodeParquet({ ...file, read, onProgress })) {
        const more = new Promise<void>((resolve) => {
          room = resolve;
        });
        tell({ kind: 'group', group });
        await more;
      }
      tell({ kind: 'end' });
    }

    const answer = async (transfer: (buffer: ArrayBuffer) => void): Promise<Next> => {
      const event = await next();
      if (event.kind === 'group') for (const buffer of buffersOf(event.group)) transfer(buffer);
      return event;
    };
    return {
      open(file, transfer) {
        told.length = 0;
        decode(file).catch((error: unknown) => tell(Promise.reject(error)));
        return answer(transfer);
      },
      bytes({ id, bytes }, transfer) {
        const { resolve, reject } = asked.get(id) as Asked;
        asked.delete(id);
        if (bytes) resolve(bytes);
        else reject(new Error('its bytes could not be read'));
        return answer(transfer);
      },
      more(_, transfer) {
        room();
        return answer(transfer);
      },
    };
  },
  { code: 'source' },
);
