import type { Duration } from './duration.js';
import { defineService } from './service.js';

/** The element types of tensors, by ONNX's names, and their arrays. */
export interface TensorArrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int64: BigInt64Array;
  readonly int32: Int32Array;
  readonly int16: Int16Array;
  readonly int8: Int8Array;
  readonly uint64: BigUint64Array;
  readonly uint32: Uint32Array;
  readonly uint16: Uint16Array;
  readonly uint8: Uint8Array;
  readonly string: string[];
}
export type TensorType = keyof TensorArrays;
export type TensorData = TensorArrays[TensorType];
/** What is only read: a record's texts need not be an array of its own. */
export type TensorValues = TensorData | readonly string[];

/**
 * Numbers or texts with a shape, in row-major order: an image as `[3, 224, 224]`, a text as `[length]`. It belongs to one record; the batch
 * axis is added in front when rows are scored together.
 */
export interface Tensor<D extends TensorValues = TensorValues> {
  readonly shape: readonly number[];
  readonly data: D;
}

/** The array class of each element type that is a number. */
export const tensorArrays = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
} as const;

const numberTypes = Object.keys(tensorArrays) as readonly (keyof typeof tensorArrays)[];
export const tensorTypes: readonly TensorType[] = [...numberTypes, 'string'];

/** The element type of an array; `undefined` for other values. */
export function tensorTypeOf(data: unknown): TensorType | undefined {
  if (Array.isArray(data)) return data.every((value) => typeof value === 'string') ? 'string' : undefined;
  return numberTypes.find((type) => data instanceof tensorArrays[type]);
}

/** The number of elements of a tensor of this shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, axis) => size * axis, 1);

/** Micro-batched scoring, shared by all tasks of a process. `src/inference` implements it. */
export interface InferenceService {
  open(model: ModelSpec): Promise<ModelHandle>;
  /** The models that are loaded, each with what became of its rows. */
  models?(): readonly ModelReport[];
  close(): Promise<void>;
}

/** Scores ONNX models; every run provides it. */
export const inferenceService = defineService<InferenceService>('inference');

export interface ModelSpec {
  /** The ONNX file. */
  readonly model: string | URL;
  /** The largest batch, in rows. */
  readonly batchMax: number;
  /** How long a batch that is not full may be passed over by full ones of other models, in milliseconds. */
  readonly waitMax: number;
  /** Execution providers, in the order in which they are tried. */
  readonly providers: readonly (string | ProviderOptions)[];
  /** The share of the workers' time where models have more rows than can be answered, beside those of others (default 1). */
  readonly weight?: number;
  /** How many rows may wait where others can answer in its place: more than these are left to them (default 64 batches). */
  readonly queueMax?: number;
  /** The inputs and outputs of a tensor model; without it, the model scores one float32 row of features. */
  readonly tensors?: TensorSpec;
  /** The models that answer in its place, in this order: the rows on which it fails, and all rows while it cannot be run. */
  readonly fallback?: readonly ModelSpec[];
  readonly cascade?: CascadeSpec;
  /** Stays in memory, whatever others need. */
  readonly isPinned?: boolean;
  /** How many bytes of its answers are remembered (default: none). */
  readonly cacheBytesMax?: number;
}

/** A cheap model, which is asked first. The dear one is asked about the rows of which it is unsure. */
export interface CascadeSpec {
  readonly first: ModelSpec;
  /** It is sure of scores up to `below`, and from `above`. The score is the last number of an output row. */
  readonly below: number;
  readonly above: number;
}

export interface TensorSpec {
  /** The model's inputs, in the order in which rows fill them (default: the only one, a row of features). */
  readonly inputs?: readonly string[];
  /** The output to use (default: the only one of floats). */
  readonly output?: string;
  /** The outputs to use, in place of one of floats. */
  readonly outputs?: readonly ModelOutput[];
  /** The lengths that the varying axis of a row may have. A batch holds rows of one length, so the scheduler pads none. */
  readonly lengths?: readonly number[];
  /** How the vectors of a row's positions become one vector. */
  readonly pooling?: Pooling;
  /** Divides each vector by its Euclidean length. */
  readonly normalize?: boolean;
}

/** The element types of the outputs that a step may declare, by ONNX's names. */
export type OutputType = TensorType | 'float16' | 'bool';
export const outputTypes: readonly OutputType[] = [...tensorTypes, 'float16', 'bool'];

/** One output of a model, as a step declares it. */
export interface ModelOutput {
  readonly name: string;
  readonly type: OutputType;
  /** Of one row: without the batch axis. */
  readonly shape: readonly number[];
}

/** Whether the numbers of an output are among the `scores` of a row, which are float32; all others are `discrete`. */
export const isFloat = (type: OutputType): boolean => type === 'float32' || type === 'float16';

/** An integer, a float64 or a text that a model gives; a flag is 0 or 1. */
export type Discrete = number | string;

/** The vector of the first position, or the mean of those for which the named input is not 0. */
export type Pooling = 'first' | { readonly mean: string };

/** The tiers of rows, the most urgent first. Where all have more rows than can be answered, they get 16, 4 and 1 of 21. */
export const tiers = ['high', 'normal', 'low'] as const;
export type Tier = (typeof tiers)[number];

/** How urgent the rows of a call are. */
export interface Urgency {
  /** The tier of a row (default: `normal`). */
  readonly tierOf?: (row: number) => Tier;
  /** In how many milliseconds a row should be answered; without one, in its turn. */
  readonly deadlineOf?: (row: number) => number | undefined;
  /** Somebody else answers in place of the model: rows that would be late fail at once, and are named in `shed`. */
  readonly sheds?: boolean;
  /** The stream is behind: the cheap model of a cascade answers alone, or the fallback in place of the first model. */
  readonly isBehind?: boolean;
}

/**
 * Why another than the first declared model answered: it failed on the row, it cannot be run, it would have been late, or the stream was
 * behind.
 */
export type FallbackReason = 'failed' | 'unavailable' | 'overloaded' | 'behind';

/** One input of a model, which each row fills. */
export interface ModelInput {
  readonly name: string;
  readonly type: TensorType;
  /** What the model takes in place of `type`: numbers are rounded to float16, and bytes are flags, of which 0 is false. */
  readonly as?: 'float16' | 'bool';
  /** Without the batch axis; `null` is the axis that varies. */
  readonly shape: readonly (number | null)[];
}

/**
 * Writes a row: its numbers for input `i` go to `into[i]`, starting at `place` times the length of a row. It may be called again for
 * a row until its call is settled, with the same numbers to write: a worker that dies takes its batches with it.
 */
export type FillRow = (row: number, into: readonly TensorData[], place: number) => void;

export interface ModelHandle {
  readonly inputs: readonly ModelInput[];
  /** The lengths that the varying axis may have; `[1]` if none varies. */
  readonly lengths: readonly number[];
  /** How many float numbers the output of a row has (for a binary classifier: the probabilities of both classes). */
  readonly outputSize: number;
  /** The execution provider in use. */
  readonly provider: string;
  /** Digest of the model file. */
  readonly version: string;
  /**
   * Scores `rows` rows. `bucketOf` returns the index in `lengths` of a row's length, the first by default. Calls are answered in
   * order, those with an urgency as soon as they can be; the rows of one call may be in several batches. Output rows are stored one after another. `fill` is called when the batch
   * of a row leaves; what it throws rejects its call.
   *
   * Throws `MillraceError('inference')` where workers keep dying or hanging, which a retry may survive, and `MillraceError('model')`
   * for what is wrong for good.
   */
  run(rows: number, fill: FillRow, bucketOf?: (row: number) => number, urgency?: Urgency): Promise<RunResult>;
  /** Dispatches the waiting rows at once. */
  flush(): void;
  /**
   * Asks golden inputs: rows of which the right answers are known since the model was loaded. Rejects with `MillraceError('inference')`
   * where it answers them wrongly, or in ten times the time.
   */
  check(): Promise<void>;
  stats(): ModelStats;
}

/** A loaded model in numbers. */
export interface ModelReport extends ModelStats {
  /** The name of its file. */
  readonly model: string;
  /** Digest of the file, or what a server calls it. */
  readonly version: string;
  /** The execution provider in use. */
  readonly provider: string;
  /** Whether its circuit breaker is open, and how often it has opened. */
  readonly isOpen: boolean;
  readonly openings: number;
}

/** Sums over the batches of a model that had up to `rowsMax` rows, a power of two, and more than half of that. */
export interface BatchSums {
  readonly rowsMax: number;
  readonly batches: number;
  readonly rows: number;
  /** How long the first row of each had waited when it left for a worker, in milliseconds. */
  readonly waitMs: number;
  /** How long workers were at them, in milliseconds. */
  readonly runMs: number;
}

/** What became of a model's rows so far, and what is known of its batches. */
export interface ModelStats {
  readonly rows: number;
  /** Rows that failed on their own. */
  readonly failed: number;
  /** Rows that were answered with what is no finite number. */
  readonly notFinite: number;
  /** Rows that would have been late, and were left to others; by tier. */
  readonly shed: Readonly<Record<Tier, number>>;
  /** Rows that the model answered after their deadline. */
  readonly late: number;
  /** Rows that wait for a batch now. */
  readonly waiting: number;
  readonly batches: number;
  /** Batches that were lost with their worker, and sent again. */
  readonly lost: number;
  /** How often golden inputs were asked, and how often they were answered wrongly. */
  readonly checks: number;
  readonly wrongChecks: number;
  /** How many times what it took when it was loaded a batch takes now. */
  readonly slowness: number;
  /** The time that workers were at its batches, in milliseconds. */
  readonly workerMs: number;
  /** Its batches by their size, smaller ones first. */
  readonly sizes: readonly BatchSums[];
  /** How long answered rows had waited since they came, in milliseconds, since the model was opened: at most 19 % too high. */
  readonly answerMs: { readonly p50: number; readonly p99: number };
  /** By length: the size that batches may grow to, and how many of their rows are run at once. */
  readonly batchRows: readonly number[];
  readonly runRows: readonly number[];
  /** How often it was loaded, how long that took in milliseconds, and how often it made room for others. */
  readonly loads: number;
  readonly loadMs: number;
  readonly evictions: number;
  /** What it takes in all workers, in bytes; 0 while it is not in memory. */
  readonly residentBytes: number;
  /**
   * Rows whose answers were remembered, how many of these by other processes, and rows whose answers were not; only of a model with a
   * cache.
   */
  readonly cache?: { readonly hits: number; readonly shared: number; readonly misses: number };
}

export interface RunResult {
  /** The numbers of the float outputs, row after row, in the order in which outputs are declared. */
  readonly scores: Float32Array;
  /** By row, the values of the other outputs; absent where none is declared. Those of a row that failed are undefined. */
  readonly discrete?: readonly (readonly Discrete[])[];
  /** The rows that failed on their own, with the cause. */
  readonly failures: ReadonlyMap<number, string>;
  /** Those of them about which the model was not asked, since it would have been late; absent if there are none. */
  readonly shed?: ReadonlySet<number>;
  /** By row, why another model of a chain answered; absent where the first one answered all. */
  readonly reasons?: readonly (FallbackReason | null)[];
  /** By row, what answered in place of the first declared model and provider; `null` where these did. */
  readonly degraded: readonly (string | null)[];
  /** By row, the digest of the model that answered. */
  readonly versions: readonly string[];
}

/** Where a model may run, in ONNX Runtime's words; which ones a machine has is found out when the model is loaded. */
export const providers = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'dml', 'coreml'] as const;
/** What runs a model: one of ONNX Runtime's execution providers. */
export type Provider = (typeof providers)[number];

/** What any provider but the CPU may be asked for. */
interface Proof {
  /** The share of the model's nodes that must run on it, from 0 to 1 (default: at least one node); with less it is refused. */
  readonly shareMin?: number;
}

/** An inference server that speaks the Open Inference Protocol, version 2, over HTTP: Triton, KServe or MLServer. */
export interface RemoteOptions {
  readonly name: 'remote';
  /** The address of the model there: `http://triton:8000/v2/models/risk`, or `.../risk/versions/3`. */
  readonly url: string;
  /** Environment variable with the token that the server asks for, sent as `Authorization: Bearer` (default: none is sent). */
  readonly tokenFrom?: string;
  /** How long an answer may take (default 10 s). */
  readonly timeout?: Duration;
  /** How many batches may be under way at once (default 4). */
  readonly inFlightMax?: number;
}

/** A provider with options: those that onnxruntime-node passes on. */
export type LocalProvider =
  | ({ readonly name: 'cuda' | 'tensorrt' | 'dml'; readonly deviceId?: number } & Proof)
  | ({ readonly name: 'webgpu'; readonly preferredLayout?: 'NCHW' | 'NHWC' } & Proof)
  | ({ readonly name: 'coreml'; readonly coreMlFlags?: number } & Proof);

/** What runs a model, with options: here, or on a server. */
export type ProviderOptions = LocalProvider | RemoteOptions;

/** The server of a model that is not run here. */
export const remoteOf = ([declared]: readonly (string | ProviderOptions)[]): RemoteOptions | undefined =>
  typeof declared === 'object' && declared.name === 'remote' ? declared : undefined;

type Check = (value: unknown) => boolean;
const isIndex: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

const modelAddress = /^https?:\/\/[^/]+(\/.*)?\/v2\/models\/[^/]+(\/versions\/[^/]+)?$/;
const isModelAddress: Check = (value) => typeof value === 'string' && URL.canParse(value) && modelAddress.test(value);
const hasCredentials = (address: unknown): boolean => /^https?:\/\/[^/]*@/.test(`${address}`);
const isName: Check = (value) => typeof value === 'string' && value !== '';

/** The options of each provider. ONNX Runtime passes over those that it does not know, so they are checked here. */
const optionsOf: Readonly<Record<Provider | 'remote', Readonly<Record<string, Check>>>> = {
  cpu: {},
  cuda: { deviceId: isIndex },
  tensorrt: { deviceId: isIndex },
  dml: { deviceId: isIndex },
  webgpu: { preferredLayout: (value) => value === 'NCHW' || value === 'NHWC' },
  coreml: { coreMlFlags: isIndex },
  remote: {
    url: isModelAddress,
    tokenFrom: isName,
    timeout: (value) => typeof value === 'number' && value > 0,
    inFlightMax: (value) => isIndex(value) && (value as number) > 0,
  },
};
const isShare: Check = (value) => typeof value === 'number' && value >= 0 && value <= 1;

/** What is wrong with a provider as it is declared, in words; `undefined` if nothing is. */
export function whatIsWrongWith(declared: Provider | ProviderOptions): string | undefined {
  const { name, ...options } = typeof declared === 'string' ? { name: declared } : declared;
  if (name === 'remote' && !('url' in options)) return "the provider 'remote' has no `url`";
  if (!Object.hasOwn(optionsOf, name)) return `there is no provider '${name}'`;
  // The value is not shown: it holds a secret.
  if ('url' in options && hasCredentials(options.url))
    return "the `url` of the provider 'remote' holds credentials, and topologies are printed: give `tokenFrom`, the variable of a token";
  const hasProof = name !== 'cpu' && name !== 'remote';
  const checks = { ...optionsOf[name], ...(hasProof && { shareMin: isShare }) } as Record<string, Check>;
  for (const [option, value] of Object.entries(options)) {
    const check = checks[option];
    if (check === undefined) return `the provider '${name}' has no option '${option}'`;
    if (value !== undefined && !check(value)) return `${option} of the provider '${name}' is ${value}`;
  }
  return undefined;
}

/** What messages, settings and answers say of a provider: `cuda`, or `cuda:1` for another device. */
export function providerName(declared: string | ProviderOptions): string {
  if (typeof declared === 'string') return declared;
  return 'deviceId' in declared && declared.deviceId !== undefined
    ? `${declared.name}:${declared.deviceId}`
    : declared.name;
}
