import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { openKafka } from '../../../connectors/kafka/open.js';
import type { Schema } from '../../../src/core/schema.js';
import { confluentRegistry, DecodeFailure, openCodec, openDecoder } from '../../../src/schema/index.js';
import { broker, readAll } from '../kafka/world.js';

const script = fileURLToPath(new URL('foreign.py', import.meta.url));

export function registryUrl(): string {
  const url = process.env.MILLRACE_REGISTRY;
  if (url === undefined) throw new Error('MILLRACE_REGISTRY must name a running schema registry');
  return url;
}

/** What a foreign client writes under, or reads with. */
export interface ForeignSchema {
  readonly format: 'avro' | 'json-schema' | 'protobuf';
  readonly schema: string;
  /** Of Protobuf, without its package. */
  readonly message?: string;
}

async function run(command: string, args: readonly string[], input: string | Uint8Array): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${err}`);
  return out;
}

/** Processes of the foreign client by what they can do; each answers line by line. */
const clients = new Map<string, { ask(task: string): Promise<string>; end(): Promise<void> }>();

function startClient() {
  const child = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const errors = text(child.stderr);
  let last: Promise<unknown> = Promise.resolve();
  const answer = async (task: string): Promise<string> => {
    child.stdin.write(`${task}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`the foreign client ended: ${await errors}`);
    return value;
  };
  return {
    /** One after another: an answer belongs to the task before it. */
    ask(task: string): Promise<string> {
      const asked = last.then(() => answer(task));
      last = asked.catch(() => undefined);
      return asked;
    },
    async end(): Promise<void> {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'close');
    },
  };
}

interface Task extends ForeignSchema {
  readonly op: 'read' | 'write';
  readonly topic: string;
  readonly values?: readonly unknown[];
  readonly count?: number;
}

async function foreign(task: Task): Promise<{ readonly values: unknown[] }> {
  const kind = task.format === 'protobuf' ? task.schema : 'schemas without classes';
  const client = clients.get(kind) ?? startClient();
  clients.set(kind, client);
  const answer = await client.ask(JSON.stringify({ ...task, kafka: broker(), registry: registryUrl() }));
  return JSON.parse(answer) as { values: unknown[] };
}

export async function endForeign(): Promise<void> {
  for (const client of clients.values()) await client.end();
  clients.clear();
}

export const theyWrite = (topic: string, schema: ForeignSchema, values: readonly unknown[]) =>
  foreign({ op: 'write', topic, ...schema, values });

export const theyRead = async (topic: string, schema: ForeignSchema, count: number): Promise<unknown[]> =>
  (await foreign({ op: 'read', topic, ...schema, count })).values;

/** Writes values with our codec, through our own producer. */
export async function weWrite<T>(topic: string, schema: Schema<T>, values: readonly T[]): Promise<void> {
  const registry = confluentRegistry({ url: registryUrl() });
  const kafka = await openKafka({ brokers: [broker()], registry });
  const producer = kafka.producer();
  try {
    const codec = await openCodec(schema, registry);
    const records = values.map((value) => ({ key: null, value: codec.encode(value), timestampMs: Date.now() }));
    await producer.createTopic(topic, 1);
    await producer.append(topic, 0, records);
  } finally {
    await producer.close();
    await kafka.close();
  }
}

/** Reads a topic from the beginning with our codec; what cannot be read is its reason. */
export async function weRead<T>(topic: string, schema: Schema<T>): Promise<(T | string)[]> {
  const registry = confluentRegistry({ url: registryUrl() });
  const kafka = await openKafka({ brokers: [broker()], registry });
  try {
    const records = await readAll(kafka, topic);
    const decoder = await openDecoder(schema, registry);
    await decoder.prepare(records);
    return records.map(({ value }) => {
      try {
        return decoder.decode(value as Uint8Array);
      } catch (error) {
        if (error instanceof DecodeFailure) return error.reason;
        throw error;
      }
    });
  } finally {
    await kafka.close();
  }
}

export async function createTopic(topic: string): Promise<void> {
  const kafka = await openKafka({ brokers: [broker()], registry: confluentRegistry({ url: registryUrl() }) });
  const producer = kafka.producer();
  await producer.createTopic(topic, 1);
  await producer.close();
  await kafka.close();
}

/** Each line of the input becomes a record, as `kcat` writes it. */
export const kcatWrites = (topic: string, lines: string | Uint8Array, ...options: string[]): Promise<string> =>
  run('kcat', ['-P', '-b', broker(), '-t', topic, '-p', '0', ...options], lines);

/** The records of a topic one after another, with nothing between them, as `kcat` prints them. */
export const kcatReads = (topic: string): Promise<string> =>
  run('kcat', ['-C', '-b', broker(), '-t', topic, '-p', '0', '-o', 'beginning', '-e', '-q', '-f', '%S:%s|'], '');
