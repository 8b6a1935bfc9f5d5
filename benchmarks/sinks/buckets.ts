import { AwsClient } from 'aws4fetch';
import { s3 } from '../../connectors/s3/index.js';
import { openS3 } from '../../connectors/s3/open.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import { localRegistry, ndjson } from '../../src/schema/index.js';
import type { Contest } from './contest.js';
import { type Side, sinkSide } from './side.js';

export const contests: readonly Contest[] = [
  {
    name: 's3.sink',
    byHand: 'aws4fetch: an object of lines an epoch, one PUT each',
    needs: ['s3'],
    records: 100_000,
    async open({ s3: url, bucket }) {
      const opened = openS3({ url, schemas: localRegistry() });
      const { origin, username, password } = new URL(url);
      const client = new AwsClient({
        accessKeyId: username,
        secretAccessKey: password,
        service: 's3',
        region: 'eu-central-1',
      });
      const byHand = async (run: string): Promise<Side> => {
        let text = '';
        let objects = 0;
        return {
          write(values) {
            for (const value of values) text += `${JSON.stringify(value)}\n`;
          },
          async settle() {
            const body = Buffer.from(text);
            text = '';
            const path = `${origin}/${bucket}/by-hand/${run}/${objects++}.ndjson`;
            const { ok } = await client.fetch(path, { method: 'PUT', body });
            if (!ok) throw new Error('the store did not take it');
          },
          close: async () => undefined,
        };
      };
      const sinkOf = (run: string) =>
        s3.sink<Prediction>({ folder: `${bucket}/sink/${run}`, schema: ndjson<Prediction>() });
      return {
        sink: (run) => sinkSide(opened.sink, sinkOf(run), run),
        byHand,
        close: async () => undefined,
      };
    },
  },
];
