import { createHash, getFips } from 'node:crypto';
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import { optionalPackage } from '../../src/util/optional-package.js';

const sdk = { name: '@aws-sdk/client-s3', neededBy: 'the s3 connector', where: 's3' };

/**
 * The AWS SDK's client for one store, addressed by paths (`host/bucket/key`). Key and secret are in the URL; otherwise the SDK
 * looks for them in variables, profiles, and the machine's or container's metadata.
 *
 * It tries each request once, because the caller knows whether it may be repeated, and follows no redirect.
 *
 * @throws MillraceError `config` if the SDK is not installed: few topologies need it, so it is not a dependency of the package.
 */
export async function openClient(endpoint: URL): Promise<S3> {
  const { S3 } = await optionalPackage(sdk, () => import('@aws-sdk/client-s3'));
  const client = new S3({
    endpoint: endpoint.origin,
    region: endpoint.searchParams.get('region') ?? 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED', // see `digestOf`
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false, // it costs a round trip before each long body
    ...credentialsIn(endpoint),
  });
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const { headers } = args.request as { readonly headers: Record<string, string> };
        if (!isDigested(commandName)) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
        return next(args);
      },
    { step: 'build', name: 'millraceUnsignedPayload' },
  );
  return client;
}

function credentialsIn({ username, password }: URL): Pick<S3ClientConfig, 'credentials'> {
  if (username === '') return {};
  const [accessKeyId, secretAccessKey] = [username, password].map(decodeURIComponent) as [string, string];
  return { credentials: { accessKeyId, secretAccessKey } };
}

/**
 * The digest of a whole object, signed with the request. Without it a store may keep half of a body whose connection broke, over
 * what a later try put. Stores compute the MD5 of every object anyway, so it is the cheapest for them; where MD5 is not allowed,
 * the SDK signs a SHA-256. Parts need none: the store's tags are checked when the upload completes.
 */
export const digestOf = (body: Uint8Array): { readonly ContentMD5?: string } =>
  getFips() === 1 ? {} : { ContentMD5: createHash('md5').update(body).digest('base64') };

const isDigested = (command: string | undefined): boolean => command === 'PutObjectCommand' && getFips() === 1;
