import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with a request for answers; by default it answers. */
export type Behaviour = (request: {
  readonly rows: number;
  readonly inputs: readonly Float32Array[];
  readonly attempt: number;
}) => Fault | undefined;

export type Fault =
  | { readonly status: number; readonly error: string }
  /** Answers after so many milliseconds. */
  | { readonly slowMs: number }
  /** Ends the connection after so many bytes of the answer. */
  | { readonly cutAfter: number }
  /** Another answer than the right one. */
  | { readonly change: (answer: Answer) => unknown }
  /** So many bytes more than the answer needs. */
  | { readonly padding: number }
  /** Other bytes than JSON and numbers. */
  | { readonly raw: string };

export interface Answer {
  model_name: string;
  model_version: string;
  outputs: {
    name: string;
    datatype: string;
    shape: number[];
    data?: (number | string | null)[];
    parameters?: object;
  }[];
}

export interface ServerOptions {
  readonly isBinary?: boolean;
  readonly versions?: readonly string[] | null;
  readonly behave?: Behaviour;
  /** Who does not send it is refused. */
  readonly token?: string;
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/**
 * An inference server with one model, `sums`: of each row of three numbers it gives the sum and the product, and in words whether the sum
 * is small.
 */
export async function inferenceServer({
  isBinary = true,
  versions = ['1', '3'],
  behave = () => undefined,
  token,
}: ServerOptions = {}) {
  const received: Received[] = [];
  let most = 0;
  let underWay = 0;

  async function infer({ headers, path, body }: Received, response: ServerResponse): Promise<void> {
    const jsonBytes = Number(headers['inference-header-content-length'] ?? body.length);
    const asked = JSON.parse(body.toString('utf8', 0, jsonBytes));
    const [{ shape, data }] = asked.inputs;
    const rows = shape[0] as number;
    const numbers = data ? Float32Array.from(data) : new Float32Array(new Uint8Array(body.subarray(jsonBytes)).buffer);
    const inputs = Array.from({ length: rows }, (_, row) => numbers.subarray(3 * row, 3 * row + 3));
    const fault = behave({ rows, inputs, attempt: received.length });
    if (fault && 'status' in fault) return end(response, fault.status, { error: fault.error });
    if (fault && 'slowMs' in fault) await new Promise((resolve) => setTimeout(resolve, fault.slowMs));
    if (fault && 'raw' in fault) return void response.end(fault.raw);
    const scores = inputs.flatMap(([a = 0, b = 0, c = 0]) => [a + b + c, a * b * c]);
    const version = /versions\/([^/]+)/.exec(path)?.[1] ?? '';
    const output = { name: 'scores', datatype: 'FP32', shape: [rows, 2] };
    const words = inputs.map(([a = 0, b = 0, c = 0]) => (a + b + c < 10 ? 'small' : 'groß'));
    const all = [
      { ...output, data: scores, bytes: Buffer.from(Float32Array.from(scores).buffer) },
      { name: 'size', datatype: 'BYTES', shape: [rows], data: words, bytes: Buffer.concat(words.map(withLength)) },
    ].filter(({ name }) => asked.outputs.some((wanted: { readonly name: string }) => wanted.name === name));
    const wantsBinary = isBinary && asked.outputs[0].parameters.binary_data;
    const answer: Answer = {
      ...{ model_name: 'sums', model_version: version },
      outputs: all.map(({ bytes, data, ...rest }) =>
        wantsBinary ? { ...rest, parameters: { binary_data_size: bytes.length } } : { ...rest, data },
      ),
    };
    const changed = fault && 'change' in fault ? fault.change(answer) : answer;
    const padding = ' '.repeat(fault && 'padding' in fault ? fault.padding : 0);
    const json = Buffer.from(JSON.stringify(changed) + padding);
    const whole = wantsBinary ? Buffer.concat([json, ...all.map(({ bytes }) => bytes)]) : json;
    if (wantsBinary) response.setHeader('Inference-Header-Content-Length', json.length);
    response.setHeader('Content-Length', whole.length);
    if (fault && 'cutAfter' in fault) {
      response.write(whole.subarray(0, fault.cutAfter));
      return void setImmediate(() => response.socket?.destroy());
    }
    response.end(whole);
  }

  function end(response: ServerResponse, status: number, body: unknown): void {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = request.url ?? '';
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return end(response, 401, { error: 'no token' });
    if (path === '/v2') return end(response, 200, { name: 'test', extensions: isBinary ? ['binary_tensor_data'] : [] });
    if (!path.startsWith('/v2/models/sums')) return end(response, 404, { error: `unknown model at ${path}` });
    const [, version] = /versions\/([^/]+)/.exec(path) ?? [];
    if (version !== undefined && !versions?.includes(version))
      return end(response, 404, { error: `version ${version} is not found` });
    if (!path.endsWith('/infer')) {
      const inputs = [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }];
      const outputs = [
        { name: 'scores', datatype: 'FP32', shape: [-1, 2] },
        { name: 'size', datatype: 'BYTES', shape: [-1] },
      ];
      return end(response, 200, { name: 'sums', versions, platform: 'test', inputs, outputs });
    }
    const got = { path, headers: request.headers, body: Buffer.concat(chunks) };
    received.push(got);
    most = Math.max(most, ++underWay);
    response.on('close', () => underWay--);
    await infer(got, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v2/models/sums`,
    received,
    /** The most requests that were under way at once. */
    most: () => most,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A text as the protocol has it: its length in 4 bytes, and its bytes. */
function withLength(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}
