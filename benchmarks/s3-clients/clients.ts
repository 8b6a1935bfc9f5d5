import { createHash } from 'node:crypto';
import { S3 } from '@aws-sdk/client-s3';
import { AwsClient } from 'aws4fetch';
import { Buckets } from '../../connectors/s3/bucket.js';

/** The requests of the connector that carry bytes, or many keys. */
export interface S3Client {
  readonly name: string;
  put(key: string, body: Buffer<ArrayBuffer>): Promise<unknown>;
  /** Resolves with the id of an upload. */
  begin(key: string): Promise<string>;
  putPart(key: string, id: string, n: number, body: Buffer<ArrayBuffer>): Promise<unknown>;
  get(key: string): Promise<number>;
  list(prefix: string): Promise<number>;
}

const md5 = (body: Uint8Array): string => createHash('md5').update(body).digest('base64');

/** Signed requests of `fetch`, answers read by regular expressions. */
export function byAws4fetch(url: string, bucket: string): S3Client {
  const { username, password, origin } = new URL(url);
  const client = new AwsClient({ accessKeyId: username, secretAccessKey: password, service: 's3', retries: 0 });
  const ask = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await fetch(await client.sign(`${origin}/${bucket}${path}`, init));
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const done = async (response: Promise<Response>) => (await response).arrayBuffer();
  return {
    name: 'aws4fetch',
    put: (key, body) => done(ask(`/${key}`, { method: 'PUT', body, headers: { 'content-md5': md5(body) } })),
    async begin(key) {
      const text = await (await ask(`/${key}?uploads=`, { method: 'POST' })).text();
      return /<UploadId>([^<]*)</.exec(text)?.[1] ?? '';
    },
    putPart: (key, id, n, body) =>
      done(ask(`/${key}?partNumber=${n}&uploadId=${encodeURIComponent(id)}`, { method: 'PUT', body })),
    get: async (key) => (await (await ask(`/${key}`)).arrayBuffer()).byteLength,
    async list(prefix) {
      const text = await (await ask(`?list-type=2&encoding-type=url&prefix=${encodeURIComponent(prefix)}`)).text();
      return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].length;
    },
  };
}

/** As it comes. */
export function bySdk(url: string, bucket: string): S3Client {
  const { username, password, origin } = new URL(url);
  const credentials = { accessKeyId: username, secretAccessKey: password };
  const client = new S3({ endpoint: origin, region: 'us-east-1', forcePathStyle: true, credentials });
  const Bucket = bucket;
  return {
    name: 'SDK as it comes',
    put: (Key, Body) => client.putObject({ Bucket, Key, Body }),
    begin: async (Key) => (await client.createMultipartUpload({ Bucket, Key })).UploadId ?? '',
    putPart: (Key, UploadId, PartNumber, Body) => client.uploadPart({ Bucket, Key, UploadId, PartNumber, Body }),
    async get(Key) {
      const { Body } = await client.getObject({ Bucket, Key });
      return (await Body?.transformToByteArray())?.length ?? 0;
    },
    list: async (Prefix) => (await client.listObjectsV2({ Bucket, Prefix, EncodingType: 'url' })).Contents?.length ?? 0,
  };
}

/** As the connector asks the SDK. */
export function byConnector(url: string, bucket: string): S3Client {
  const buckets = new Buckets({ url });
  return {
    name: 'SDK by the connector',
    put: (key, body) => buckets.put(`${bucket}/${key}`, body),
    begin: (key) => buckets.beginUpload(`${bucket}/${key}`),
    putPart: (key, id, n, body) => buckets.putPart(`${bucket}/${key}`, id, n, body),
    get: async (key) => (await buckets.bytes(`${bucket}/${key}`)).length,
    list: async (prefix) => (await buckets.list(`${bucket}/${prefix}`)).length,
  };
}
