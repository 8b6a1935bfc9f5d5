import { expect, it, vi } from 'vitest';
import { Buckets } from '../../../connectors/s3/bucket.js';

it('says how to install the SDK where it is missing, and asks nobody', async () => {
  vi.doMock('@aws-sdk/client-s3', () => {
    throw new Error("Cannot find package '@aws-sdk/client-s3'");
  });
  const buckets = new Buckets({ url: 'http://127.0.0.1:1' });
  await expect(buckets.list('lake/')).rejects.toMatchObject({
    code: 'config',
    permanent: true,
    hint: expect.stringContaining('npm install @aws-sdk/client-s3'),
  });
  vi.doUnmock('@aws-sdk/client-s3');
});
