import { afterEach, expect, it, vi } from 'vitest';
import { Buckets } from '../../../connectors/s3/bucket.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

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

it('says where key and secret may stand when the SDK finds none', async () => {
  const nowhere = {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
    AWS_CONFIG_FILE: '/nowhere',
  };
  for (const [name, value] of Object.entries(nowhere)) vi.stubEnv(name, value);
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) vi.stubEnv(name, undefined);
  const buckets = new Buckets({ url: 'http://127.0.0.1:1', attemptsMax: 2 });
  await expect(buckets.list('lake/')).rejects.toMatchObject({
    code: 'sink',
    permanent: true,
    hint: expect.stringContaining('AWS_ACCESS_KEY_ID'),
  });
});
