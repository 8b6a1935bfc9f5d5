import { apiVersionsV3, createAPI, type Reader } from '@platformatic/kafka';
import { readTaggedFields } from './tagged-fields.js';

/** Levels by the name of a feature, as the brokers of a cluster have agreed on them. */
export type Features = ReadonlyMap<string, number>;

const AGREED = 2;

/** A broker that does not know this version answers with an error, and has no features. */
function parseResponse(_correlation: number, _apiKey: number, _apiVersion: number, reader: Reader): Features {
  const features = new Map<string, number>();
  if (reader.readInt16() !== 0) return features;
  reader.readArray((api) => api.readInt16() + api.readInt16() + api.readInt16());
  reader.readInt32(); // throttle time
  readTaggedFields(reader, (tag) => {
    if (tag !== AGREED) return;
    reader.readArray((each) => {
      const name = each.readString();
      features.set(name, each.readInt16());
      each.readInt16(); // the lowest level
    });
  });
  return features;
}

/** The features that a cluster has agreed on (KIP-584); the client's own request passes over them. */
export const featuresApi = createAPI<Parameters<typeof apiVersionsV3.createRequest>, Features>(
  18,
  3,
  apiVersionsV3.createRequest,
  parseResponse,
  true,
  false,
);
