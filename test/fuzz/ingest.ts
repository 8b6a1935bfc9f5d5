import { http } from '../../connectors/http/index.js';
import { IngestServer } from '../../connectors/http/ingest-server.js';
import { json, localRegistry, openDecoder } from '../../src/schema/index.js';
import { chanceOf } from './chance.js';
import { hostileJson } from './payloads/hostile-json.js';
import { spoilt } from './spoilt-bytes.js';

/** Statuses that say what is wrong, or that all is well; 503 would ask the client to send the same again, for ever. */
const honest = new Set([202, 400, 413, 422]);

/** Posts so many bodies to an ingest source. Throws where one is answered otherwise than it should be. */
export async function fuzzIngest(count: number, seed: number): Promise<Readonly<Record<string, number>>> {
  const chance = chanceOf(seed);
  const { options } = http.ingestSource({
    topic: 'in',
    schema: json<unknown>(),
    port: 0,
    bytesMax: 1 << 20,
    pendingMax: 1_000,
  });
  let stored = 0;
  const server = await IngestServer.open({
    options: options as never,
    codec: await openDecoder(json<unknown>(), localRegistry()),
    producer: {
      send: async (_topic: string, records: readonly unknown[]) => {
        stored += records.length;
      },
      close: async () => undefined,
    } as never,
    token: undefined,
    now: () => 0,
  });
  const outcomes = new Map<string, number>();
  let accepted = 0;
  try {
    for (let done = 0; done < count; done++) {
      const json = hostileJson(chance);
      const bomb = chance.oneIn(40);
      const body = bomb
        ? Buffer.from(
            chance.pick([
              `[${'1,'.repeat(400_000)}1]`,
              '[0],'.repeat(300_000),
              '\n'.repeat(1_000_000),
              '['.repeat(1_000_000),
            ]),
          )
        : chance.oneIn(2)
          ? spoilt(json, chance)
          : Buffer.concat([json, Buffer.from('\n'), json]);
      const type = chance.oneIn(2) ? 'application/x-ndjson' : 'application/json';
      const headers = { 'content-type': type };
      const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: 'POST', body, headers });
      const answer = (await response.json()) as { accepted?: number; error?: string };
      if (!honest.has(response.status)) throw new Error(`${response.status} ${answer.error}: ${body.subarray(0, 200)}`);
      accepted += answer.accepted ?? 0;
      outcomes.set(`${response.status}`, (outcomes.get(`${response.status}`) ?? 0) + 1);
    }
  } finally {
    await server.close();
  }
  if (stored !== accepted) throw new Error(`${accepted} records were accepted and ${stored} stored`);
  return Object.fromEntries([...outcomes].sort());
}
