import {
  MillraceError,
  type ModelHandle,
  type ModelSpec,
  messageOf,
  type OutputType,
  type RemoteOptions,
  type TensorData,
} from '../../core/index.js';
import { retry } from '../../util/retry.js';
import { secretFrom } from '../../util/secret-from.js';
import { type ModelBreaker, modelBreaker } from '../model-breaker.js';
import { bufferPool } from '../scheduling/buffers.js';
import { type LatencyCurve, latencyCurve } from '../scheduling/latency-curve.js';
import { type Layout, layoutOf, partOf, viewsOf } from '../scheduling/layout.js';
import type { Batch, ModelQueue } from '../scheduling/model-queue.js';
import { createScheduler } from '../scheduling/scheduler.js';
import { chooseFor, valuesOf } from '../session/declared-outputs.js';
import { noCeiling, scoreRows } from '../session/recovery.js';
import { measureRuns } from '../session/run-size.js';
import type { RunRows } from '../session/values.js';
import { noLengths, warmUpViews } from '../session/warm-up.js';
import type { Values } from '../workers/protocol.js';
import { type HttpClient, httpClient, Unavailable } from './http-client.js';
import {
  decodeAnswer,
  decodeMetadata,
  encodeRequest,
  errorText,
  type HttpAnswer,
  jsonOf,
  WrongAnswer,
} from './protocol.js';
import { turnsOf } from './turns.js';

export interface RemoteModel {
  readonly handle: ModelHandle;
  readonly queue: ModelQueue;
  readonly breaker: ModelBreaker;
  /** Leaves the rows to others that would be late even now. */
  shedLate(): void;
  /** Whether the server names a version, so that answers are known to be of one model. */
  readonly isVersioned: boolean;
  /** Whether the server has another model than this one. */
  isGone(): boolean;
  close(): void;
}

export interface RemoteEvents {
  /** The server has another model than the one that was opened: who opens it anew gets that. */
  onGone(): void;
  /** Rows may become too late from now on: somebody must look at times. */
  onDeadlines(): void;
  /** The server refuses this process, once it has answered it. */
  onWarning(message: string): void;
}

const TIMEOUT_MS = 10_000;
const IN_FLIGHT_MAX = 4;
/** A row that is known to work is answered too late if it takes so many times what it took at first, and more than what is never too late. */
const SLOW_FACTOR = 10;
const SLOW_FLOOR_MS = 1_000;
/** What the scheduler keeps under way in one place. */
const PER_PLACE = 2;
/** A busy or restarting server gets some time; then the next of the chain answers, or the task is restored. */
const patience = { waitMs: 50, waitMaxMs: 1_000, attemptsMax: 4 };

interface Asking {
  readonly attemptsMax: number;
  readonly withinMs?: number;
}
/** What any answer may have, and how many times the bytes a row of the largest one before: digits and texts differ. */
const ANSWER_BYTES = 32 * 2 ** 20;
const LARGER = 8;

/** Answers that say something about this process or about the server, and nothing about the rows. */
const REFUSED = new Set([401, 403]);
const isAboutRows = (status: number) => status >= 400 && status < 500 && ![401, 403, 404, 408, 429].includes(status);

/** The server knows no such model, or not this version of it. */
class NotThere extends Unavailable {}
/** A request that the server would refuse again. A row of it may be the cause, or not: whether another one is answered tells. */
class Refused extends Error {
  override readonly name = 'Refused';
}

/**
 * A model on an inference server that speaks the Open Inference Protocol (Triton, KServe, MLServer): batches are sent over HTTP, several at
 * once, as binary tensors where the server takes them.
 *
 * Guarantees: an answer is checked against what was asked: model, version, output, type, number of rows and numbers a row. A row that the server
 * refuses is found by halving and named in `failures`, as long as it still answers a row that is known to work.
 *
 * Errors: `MillraceError('inference')` where the server cannot be reached, is too slow, fails or answers something else; each request is
 * tried four times first; it is permanent where the server refuses this process. `MillraceError('model')` when the model is opened and takes
 * or gives other tensors, or takes no batch of `batchMax` rows. `MillraceError('config')` where the variable of `tokenFrom` is not set.
 *
 * Memory: `inFlightMax` batches with their answers, of which each has up to 32 MiB, or eight times the bytes of the largest one before, a row.
 */
export async function openRemote(spec: ModelSpec, declared: RemoteOptions, events: RemoteEvents): Promise<RemoteModel> {
  const { url: address, tokenFrom, timeout = TIMEOUT_MS, inFlightMax = IN_FLIGHT_MAX } = declared;
  const url = new URL(address);
  const where = `${url.origin}${url.pathname}`;
  const token = tokenFrom === undefined ? undefined : secretFrom(tokenFrom, where);
  const client = httpClient({ url, token, timeoutMs: timeout, connectionsMax: inFlightMax });
  try {
    const server = await describe(client, url, where);
    return await serve(server, client, spec, { inFlightMax, where, ...events });
  } catch (error) {
    client.close();
    throw typed(error, where);
  }
}

interface Server {
  readonly facts: ReturnType<typeof decodeMetadata>;
  readonly model: string;
  readonly version: string | undefined;
  /** Whether it is the highest one, and not one that the address names. */
  readonly isHighest: boolean;
  readonly isBinary: boolean;
  readonly inferPath: string;
}

async function describe(client: HttpClient, { pathname }: URL, where: string): Promise<Server> {
  const [, root, model, version] = /^(.*\/v2)\/models\/([^/]+)(?:\/versions\/([^/]+))?$/.exec(pathname) ?? [];
  if (model === undefined) {
    throw new MillraceError('model', `${where} does not name a model`, {
      hint: 'give the address of a model, such as http://triton:8000/v2/models/risk, or .../risk/versions/3',
    });
  }
  const { extensions = [] } = (jsonOf((await asked(client.get(`${root}`))).body) ?? {}) as { extensions?: unknown[] };
  const facts = decodeMetadata((await asked(client.get(pathname))).body);
  // One version answers all rows, as answers say which.
  const pinned = version ?? facts.version;
  const path = pinned === undefined ? pathname : `${root}/models/${model}/versions/${pinned}`;
  const isBinary = extensions.some((name) => `${name}`.startsWith('binary_tensor_data'));
  return {
    ...{ facts, model: decodeURIComponent(model), version: pinned, isHighest: version === undefined },
    ...{ isBinary, inferPath: `${path}/infer` },
  };
}

/** An answer of success. */
async function asked(answer: Promise<HttpAnswer>): Promise<HttpAnswer> {
  const { status } = await answer;
  if (status === 200) return answer;
  const text = errorText(await answer);
  if (REFUSED.has(status))
    // A fallback may answer. Without one the run ends, since a retry is refused, too.
    throw new MillraceError('inference', `the server refuses this process: ${text}`, {
      permanent: true,
      hint: '`tokenFrom` of the provider names the variable with the token that the server asks for',
    });
  if (isAboutRows(status)) throw new Refused(text);
  throw status === 404 ? new NotThere(text) : new Unavailable(text);
}

async function serve(
  { facts, model, version, isHighest, isBinary, inferPath }: Server,
  client: HttpClient,
  { tensors, batchMax, waitMax, queueMax }: ModelSpec,
  {
    inFlightMax,
    where,
    onGone,
    onDeadlines,
    onWarning,
  }: { readonly inFlightMax: number; readonly where: string } & RemoteEvents,
): Promise<RemoteModel> {
  const { inputs, outputs: names } = chooseFor(facts.inputs, facts.outputs, tensors);
  const types = facts.outputs.map(({ name, type }) => [name, type as OutputType] as const);
  const outputs = new Map(types.filter(([name]) => names.includes(name)));
  const lengths = tensors?.lengths ?? noLengths;
  /** The numbers of a row's answer; the first answers tell. */
  let outputSize: number | undefined;

  /** The most bytes that a row had in an answer. */
  let rowBytes = 0;
  async function post(
    layout: Layout,
    views: readonly TensorData[],
    { from, rows }: { readonly from: number; readonly rows: number },
    { attemptsMax, withinMs }: Asking = patience,
  ): Promise<Values> {
    const parts = layout.regions.map((region, i) => partOf(views[i] as TensorData, region, from, rows));
    const request = encodeRequest({
      inputs: layout.regions.map(({ name, type, rowShape }, i) => ({
        ...{ name, type, as: inputs[i]?.as, shape: [rows, ...rowShape], data: parts[i] as TensorData },
      })),
      ...{ outputs: names, isBinary },
    });
    const limits = { bytesMax: Math.max(ANSWER_BYTES, LARGER * rowBytes * rows), withinMs };
    const answer = await retry(() => asked(client.post(inferPath, request, limits)), {
      ...{ ...patience, attemptsMax },
      retriable: (error) => error instanceof Unavailable,
    });
    const decoded = decodeAnswer(answer, { model, version, outputs, rows });
    rowBytes = Math.max(rowBytes, answer.body.length / rows);
    const inputOf = (name: string) => parts[inputs.findIndex((input) => input.name === name)];
    const read = () => valuesOf(decoded, rows, { spec: tensors, names }, inputOf);
    return outputSize === undefined ? read() : asBefore(read, rows, outputSize);
  }

  type Probe = (asking?: Asking) => Promise<Values>;
  const probes = lengths.map((length): Probe => {
    const layout = layoutOf(inputs, length, 1);
    return (asking) => post(layout, warmUpViews(layout), { from: 0, rows: 1 }, asking);
  });
  const sizes = new Set<number>();
  for (const probe of probes) sizes.add((await probe()).scores.length);
  if (sizes.size > 1)
    throw new WrongAnswer(
      `the model gives ${[...sizes].join(', ')} numbers for rows of its lengths, not always as many`,
    );
  const [size = 0] = sizes;
  outputSize = size;

  const curves: LatencyCurve[] = [];
  for (const length of lengths) {
    const layout = layoutOf(inputs, length, batchMax);
    const views = warmUpViews(layout);
    const run: RunRows = (from, rows) =>
      post(layout, views, { from, rows }).catch((error) => throwMeasured(error, rows));
    const points = await measureRuns(run, batchMax);
    curves.push(latencyCurve({ points, rowsMax: batchMax }));
  }
  const slowMs = Math.max(SLOW_FLOOR_MS, Math.round(SLOW_FACTOR * (curves[0]?.ms(1) ?? 0)));

  const pool = bufferPool(inFlightMax + PER_PLACE);
  /** Batches that the scheduler sends ahead wait here: not at the server's expense. */
  const turns = turnsOf(inFlightMax);
  const scheduler = createScheduler({
    workers: Math.ceil(inFlightMax / PER_PLACE),
    nowMs: () => performance.now(),
  });
  const label = version === undefined ? model : `${model}/${version}`;
  const queue = scheduler.queue({
    layoutOf: (bucket, rows) => layoutOf(inputs, lengths[bucket] as number, rows),
    ...{ outputSize: size, version: label, batchMax, waitMax, curves, pool },
    ...(queueMax !== undefined && { queueMax }),
    dispatch: (batch) => void score(batch),
  });

  let isWarned = false;
  let isGone = false;
  /** An error that is no answer to rows. A version that the address names may come back. */
  function known(error: unknown): MillraceError {
    if (error instanceof MillraceError && error.permanent && !isWarned) {
      isWarned = true;
      onWarning(`${where}: ${error.message}`);
    }
    const isNotThere = error instanceof NotThere || error instanceof Refused;
    if (error instanceof WrongAnswer || (isNotThere && isHighest)) {
      isGone = true;
      onGone();
    }
    return typed(error, where);
  }

  async function score(batch: Batch): Promise<void> {
    const { bucket, layout, rows, input, texts } = batch;
    const views = viewsOf(layout, input, texts);
    await turns.take();
    const startedMs = performance.now();
    /** Why none of the rows can be answered: halves are not asked then. */
    let hopeless: unknown;
    const run = async (from: number, count: number) => {
      if (hopeless !== undefined) throw hopeless;
      try {
        return await post(layout, views, { from, rows: count });
      } catch (error) {
        if (error instanceof Unavailable || error instanceof WrongAnswer || error instanceof MillraceError)
          hopeless = error;
        throw error;
      }
    };
    const probe = () => (hopeless === undefined ? (probes[bucket] as Probe)() : Promise.reject(hopeless));
    try {
      const scored = await scoreRows({ rows, outputSize: size, ceiling: noCeiling(), run, probe }).finally(turns.give);
      pool.give(input);
      queue.complete(batch, { ...scored, degraded: null }, performance.now() - startedMs);
    } catch (error) {
      pool.give(input);
      queue.fail(batch, known(error));
    }
  }

  let isClosed = false;
  /** One that is gone is closed when its server's next model is there: who still has it opens that. */
  const whenClosed = () => (isGone ? typed(new NotThere('it has another model by now'), where) : closed());
  let checking: Promise<void> | undefined;
  /** Calls wait for it before they go elsewhere: it is not tried again. */
  async function checkNow(): Promise<void> {
    if (isClosed) throw whenClosed();
    try {
      await (probes[0] as Probe)({ attemptsMax: 1, withinMs: slowMs });
    } catch (error) {
      throw known(error);
    }
    // What was slow is over. Batches that are slow again say so within some.
    for (const curve of curves) curve.resetPace();
  }

  const handle: ModelHandle = {
    ...{ inputs, lengths, outputSize: size, provider: 'remote', version: label },
    run(rows, fill, bucketOf, urgency) {
      if (isClosed) return Promise.reject(whenClosed());
      if (urgency?.sheds && urgency.deadlineOf) onDeadlines();
      return queue.run(rows, fill, bucketOf, urgency);
    },
    flush: queue.flush,
    check() {
      checking ??= checkNow().finally(() => {
        checking = undefined;
      });
      return checking;
    },
    stats: () => ({
      ...queue.stats(),
      ...{ checks: 0, wrongChecks: 0, loads: 0, loadMs: 0, evictions: 0, residentBytes: 0 },
      runRows: curves.map(() => batchMax),
    }),
  };
  const breaker = modelBreaker({ nowMs: () => performance.now(), random: Math.random });
  return {
    ...{ handle, queue, breaker, shedLate: scheduler.shedLate, isVersioned: version !== undefined },
    isGone: () => isGone,
    close() {
      isClosed = true;
      client.close();
    },
  };
}

const closed = () =>
  new MillraceError('model', 'the inference service is closed', { hint: 'close it after the last task' });

/** A server that has answered a row, and refuses some, takes no batches of that size: Triton's `max_batch_size`, a limit of a body. */
function throwMeasured(error: unknown, rows: number): never {
  if (!(error instanceof Refused) || rows === 1) throw error;
  throw new MillraceError('model', `the server refuses a batch of ${rows} rows: ${error.message}`, {
    hint: 'set `batchMax` to the largest batch that the server takes',
    cause: error,
  });
}

/**
 * What a known model answers. Other tensors than before are no mistake of the topology: the server has another model by now. Of more or
 * fewer numbers a row, a row would get those of others.
 */
function asBefore(read: () => Values, rows: number, outputSize: number): Values {
  const values = orWrong(read);
  if (values.scores.length === rows * outputSize) return values;
  throw new WrongAnswer(`the answer has ${values.scores.length / rows} numbers a row, not ${outputSize}`);
}

function orWrong(read: () => Values): Values {
  try {
    return read();
  } catch (error) {
    throw error instanceof MillraceError ? new WrongAnswer(error.message) : error;
  }
}

/** What the server did, as the engine's error: it may do better later. */
function typed(error: unknown, where: string): MillraceError {
  if (error instanceof MillraceError)
    return new MillraceError(error.code, error.message, {
      where,
      permanent: error.permanent,
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  return new MillraceError('inference', `the inference server fails: ${messageOf(error)}`, {
    where,
    cause: error,
    hint: 'the task is restored and tries again; a `fallback` model answers meanwhile',
  });
}
