import { createFileRegistry, createMutableRegistry, fromBinary, fromJson, type JsonValue } from '@bufbuild/protobuf';
import * as wkt from '@bufbuild/protobuf/wkt';
import { SchemaRegistryClient } from '@confluentinc/schemaregistry/dist/schemaregistry-client.js';
import { AvroDeserializer, AvroSerializer } from '@confluentinc/schemaregistry/dist/serde/avro.js';
import { JsonDeserializer, JsonSerializer } from '@confluentinc/schemaregistry/dist/serde/json.js';
import { ProtobufSerializer } from '@confluentinc/schemaregistry/dist/serde/protobuf.js';
import { SerdeType } from '@confluentinc/schemaregistry/dist/serde/serde.js';
import { address } from '../address.js';
import type { CaseSchema, PayloadCase } from './case.js';
import type { ForeignProcess } from './foreign-process.js';
import { theirsOf } from './values.js';

// Confluent's serializers for JavaScript. They read with the writer's schema, whatever it is.

const registered = { avro: 'AVRO', 'json-schema': 'JSON', protobuf: 'PROTOBUF' } as const;
const files = Object.values(wkt).filter(
  (each): each is typeof wkt.file_google_protobuf_any =>
    typeof each === 'object' && 'kind' in each && each.kind === 'file',
);

export interface JavaScriptClient {
  write(payload: PayloadCase, subject: string): Promise<Uint8Array>;
  read(payload: PayloadCase, subject: string, bytes: Uint8Array): Promise<unknown>;
}

export function startJavaScript(python: ForeignProcess): JavaScriptClient {
  const client = SchemaRegistryClient.newClient({ baseURLs: [address('MILLRACE_REGISTRY')] });
  const options = (subject: string) => ({ useLatestVersion: true, subjectNameStrategy: () => subject });

  /** As protoc describes it: this client has no parser of its own. */
  const described = async (schema: CaseSchema) => {
    const { file } = await python.ask<{ file: string }>({ op: 'describe', ...{ schema } });
    const proto = fromBinary(wkt.FileDescriptorProtoSchema, Buffer.from(file, 'base64'));
    return createFileRegistry(proto, (name) => files.find(({ proto: { name: known } }) => known === name));
  };

  return {
    async write({ format, writer, written }, subject) {
      await client.register(subject, { schemaType: registered[format], schema: writer.text }, false);
      const value = theirsOf(format, written);
      const how = options(subject);
      if (format === 'avro') {
        return new AvroSerializer(client, SerdeType.VALUE, how).serialize('any', withBuffers(value));
      }
      if (format === 'json-schema') {
        return new JsonSerializer(client, SerdeType.VALUE, { ...how, validate: true }).serialize('any', value);
      }
      const registry = await described(writer);
      const message = registry.getMessage(writer.message as string);
      if (message === undefined) throw new Error(`there is no ${writer.message}`);
      const serializer = new ProtobufSerializer(client, SerdeType.VALUE, {
        ...how,
        registry: createMutableRegistry(registry),
      });
      return serializer.serialize('any', fromJson(message, value as JsonValue, { registry }));
    },

    async read({ format }, subject, bytes) {
      const payload = Buffer.from(bytes);
      const how = { subjectNameStrategy: () => subject };
      if (format === 'avro') {
        return plain(await new AvroDeserializer(client, SerdeType.VALUE, how).deserialize('any', payload));
      }
      if (format === 'json-schema') {
        return new JsonDeserializer(client, SerdeType.VALUE, { ...how, validate: true }).deserialize('any', payload);
      }
      throw new Error(`${format} is not read by this client`);
    },
  };
}

const withBuffers = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, each) =>
    typeof each === 'object' && each !== null && '$bytes' in each ? Buffer.from(each.$bytes, 'base64') : each,
  );

/** The classes of `avsc` as plain objects. */
const plain = (value: unknown): unknown =>
  value instanceof Uint8Array
    ? { $bytes: Buffer.from(value).toString('base64') }
    : Array.isArray(value)
      ? value.map(plain)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
        : value;
