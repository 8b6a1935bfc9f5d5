/**
 * How many rows a second does a step get from an inference server, against the best that its clients get?
 *
 * The server is MLServer from PyPI with an ONNX runtime of ours, in a virtual environment that is made for it and removed afterwards
 * (`--python PROGRAM` names one that has it). The clients are NVIDIA's `tritonclient`, and a loop that writes and reads JSON itself, each at its
 * best size and number of requests at once. The step has as many at once as the loop. Its answers are compared with those of this process.
 */
import assert from 'node:assert';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { ModelHandle } from '../src/core/index.js';
import { createInference } from '../src/inference/index.js';
import { mlp } from '../test/inference/onnx.js';
import { generator } from '../test/random.js';
import type { Benchmark } from './benchmark.js';
import { measureInTurn, once, type Run, rateOf, ratioOf } from './pairs.js';

export const options = { seconds: 2, rounds: 5, python: '' };

const WIDTH = 32;
const BATCH_MAX = 1_024;
/** As many tasks ask with 512 rows each. */
const CALLERS = 8;
const peers = fileURLToPath(new URL('peers/mlserver/', import.meta.url));

export const benchmark: Benchmark<typeof options> = async (progress, { seconds, rounds, python }) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-remote-'));
  const inference = createInference();
  let server: Server | undefined;
  try {
    const program = python || virtualEnvironment(folder, progress);
    const file = join(folder, 'risk.onnx');
    await writeFile(file, mlp([WIDTH, 64, 32, 1], generator(1)));
    server = await mlserver(program, folder, file);
    progress(`MLServer ${version(program)} answers`);

    const limits = { model: pathToFileURL(file), batchMax: BATCH_MAX, waitMax: 5 };
    const url = `${server.url}/v2/models/risk`;
    const best = await bestLoop(`${url}/infer`, seconds / 2);
    progress(`loop: ${JSON.stringify(best.rates)}`);
    const remote = await inference.open({ ...limits, providers: [{ name: 'remote', url, inFlightMax: best.atOnce }] });
    const local = await inference.open({ ...limits, providers: ['cpu'] });
    const farthest = await difference(remote, local);
    progress(`the largest difference to this process is ${farthest}`);
    assert(farthest < 1e-5);

    const place = server;
    const tritonclient = await clientRates(program, place, Math.min(seconds, 2));
    progress(`tritonclient: ${JSON.stringify(tritonclient)}`);
    const contestants = [
      { name: 'tritonclient', work: () => client(program, place, seconds, bestOf(tritonclient)) },
      { name: 'loop', work: () => loop(`${url}/infer`, best.size, best.atOnce, seconds) },
      { name: 'step', work: () => step(remote, seconds) },
    ] as const;
    const { runs, rates, cpuMicros } = await measureInTurn(contestants, { rounds }, progress);
    const throughLoop = ratioOf(runs, 'step', 'loop', rateOf);
    const throughTriton = ratioOf(runs, 'step', 'tritonclient', rateOf);
    return {
      unit: 'rows/s',
      figures: rates,
      ratios: { 'step through loop': throughLoop, 'step through tritonclient': throughTriton },
      goals: {
        'step through loop': { is: throughLoop, atLeast: 0.8 },
        'step through tritonclient': { is: throughTriton, atLeast: 0.8 },
        'largest difference to this process': { is: once(farthest), atMost: 0 },
      },
      details: {
        ...{ mlserver: version(program), tritonclient, loop: best.rates, largestDifference: farthest },
        cpuMicrosARow: { loop: cpuMicros.loop, step: cpuMicros.step },
        rowsABatch: remote.stats().rows / remote.stats().batches,
      },
    };
  } finally {
    await inference.close();
    await server?.close();
    await rm(folder, { recursive: true });
  }
};

type Progress = (line: string) => void;

function virtualEnvironment(folder: string, progress: Progress): string {
  progress('a virtual environment is made for MLServer');
  const place = join(folder, 'venv');
  execFileSync('python3', ['-m', 'venv', place]);
  const python = join(place, 'bin', 'python');
  const packages = ['mlserver', 'onnxruntime', 'tritonclient[http]'];
  execFileSync(python, ['-m', 'pip', 'install', '-q', '--no-cache-dir', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return python;
}

const version = (python: string): string =>
  execFileSync(python, ['-c', 'import importlib.metadata as m; print(m.version("mlserver"))'], {
    encoding: 'utf8',
  }).trim();

interface Server {
  readonly url: string;
  readonly address: string;
  close(): Promise<void>;
}

async function mlserver(python: string, folder: string, model: string): Promise<Server> {
  const [http_port, grpc_port, metrics_port] = [await freePort(), await freePort(), await freePort()];
  const place = join(folder, 'server');
  await mkdir(place);
  const settings = { http_port, grpc_port, metrics_port, host: '127.0.0.1', parallel_workers: 0 };
  await writeFile(join(place, 'settings.json'), JSON.stringify(settings));
  const tensor = (name: string, size: number) => ({ name, datatype: 'FP32', shape: [-1, size] });
  const modelSettings = {
    ...{ name: 'risk', implementation: 'onnx_model.OnnxModel', parameters: { uri: model } },
    ...{ inputs: [tensor('x', WIDTH)], outputs: [tensor('y', 1)] },
  };
  await writeFile(join(place, 'model-settings.json'), JSON.stringify(modelSettings));
  let said = '';
  const child: ChildProcess = spawn(join(dirname(python), 'mlserver'), ['start', place], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: peers },
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text) => {
      said = `${said}${text}`.slice(-4_000);
    });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = `http://127.0.0.1:${http_port}`;
  for (let tries = 0; ; tries++) {
    const answer = await fetch(`${url}/v2/models/risk/ready`).catch(() => undefined);
    if (answer?.ok) break;
    if (tries > 600 || child.exitCode !== null) throw new Error(`MLServer does not start:\n${said}`);
    await pause(100);
  }
  return {
    ...{ url, address: `127.0.0.1:${http_port}` },
    async close() {
      child.kill();
      await gone;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** By size and number at once, or of those that are named; not in step with this process, which reads what the server prints. */
async function clientRates(
  python: string,
  { address }: Server,
  seconds: number,
  only: readonly string[] = [],
): Promise<Record<string, number>> {
  const args = [join(peers, 'client.py'), address, 'risk', 'x', `${WIDTH}`, 'y', `${seconds}`, ...only];
  const { stdout } = await promisify(execFile)(python, args);
  return JSON.parse(stdout) as Record<string, number>;
}

const bestOf = (rates: Readonly<Record<string, number>>): string =>
  Object.entries(rates).reduce((best, each) => (each[1] > best[1] ? each : best))[0];

async function client(python: string, server: Server, seconds: number, which: string): Promise<Run> {
  const rates = await clientRates(python, server, seconds, [which]);
  return { records: (rates[which] as number) * seconds, seconds, cpuSeconds: 0 };
}

const numbers = (rows: number): Float32Array => Float32Array.from({ length: rows * WIDTH }, generator(3));

/** The size and the number of requests at once with the best rate. */
async function bestLoop(url: string, seconds: number) {
  const rates: Record<string, number> = {};
  let best = { size: 0, atOnce: 0, rate: 0 };
  for (const atOnce of [1, 4])
    for (const size of [64, 256, 1_024]) {
      const rate = rateOf(await loop(url, size, atOnce, seconds));
      rates[`${size} x ${atOnce}`] = Math.round(rate);
      if (rate > best.rate) best = { size, atOnce, rate };
    }
  return { ...best, rates };
}

/** Requests, some at a time, for so many seconds. */
async function loop(url: string, size: number, atOnce: number, seconds: number): Promise<Run> {
  const rows = numbers(size);
  const bodyOf = () => {
    const inputs = [{ name: 'x', shape: [size, WIDTH], datatype: 'FP32', data: Array.from(rows) }];
    return Buffer.from(JSON.stringify({ inputs, outputs: [{ name: 'y' }] }));
  };
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const once = () =>
    new Promise<void>((resolve, reject) => {
      const body = bodyOf();
      const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length };
      const asked = request(url, { method: 'POST', agent, headers }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const { outputs } = JSON.parse(Buffer.concat(chunks).toString()) as { outputs: [{ data: number[] }] };
        assert(outputs[0].data.length === size);
        resolve();
      });
      asked.on('error', reject).end(body);
    });
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  let records = 0;
  const caller = async () => {
    while (performance.now() - startedMs < seconds * 1_000) {
      await once();
      records += size;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  agent.destroy();
  return runOf(records, startedMs, cpu);
}

function runOf(records: number, startedMs: number, cpuBefore: NodeJS.CpuUsage): Run {
  const { user, system } = process.cpuUsage(cpuBefore);
  return { records, seconds: (performance.now() - startedMs) / 1_000, cpuSeconds: (user + system) / 1e6 };
}

const fillFrom =
  (data: Float32Array): Parameters<ModelHandle['run']>[1] =>
  (row, [into], place) =>
    (into as Float32Array).set(data.subarray(row * WIDTH, (row + 1) * WIDTH), place * WIDTH);

/** Calls as the tasks of some partitions make them. */
async function step(model: ModelHandle, seconds: number): Promise<Run> {
  const rows = 512;
  const fill = fillFrom(numbers(rows));
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  let records = 0;
  const caller = async () => {
    while (performance.now() - startedMs < seconds * 1_000) {
      const { failures } = await model.run(rows, fill);
      assert(failures.size === 0);
      records += rows;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return runOf(records, startedMs, cpu);
}

async function difference(one: ModelHandle, other: ModelHandle): Promise<number> {
  const fill = fillFrom(numbers(1_000));
  const [a, b] = [(await one.run(1_000, fill)).scores, (await other.run(1_000, fill)).scores];
  return a.reduce((most, score, i) => Math.max(most, Math.abs(score - (b[i] as number))), 0);
}
