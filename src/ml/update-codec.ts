import type { FeatureArray, FeatureNumbers, FeatureShape } from '../core/learner.js';
import { inTheLog, type Origin } from '../core/record.js';
import { pack, unpack } from '../state/codec.js';
import type { UpdateChunk } from '../state/index.js';

/** An update as a log keeps it. */
export interface LoggedUpdate {
  readonly features: FeatureNumbers;
  readonly label: unknown;
  readonly weight: number;
  /** Where the record that brought it lies in its log: for `learn`, that of the label. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Writes an update to where there is room for so many bytes, or to nowhere. */
export type UpdateWriter = (
  room: (bytes: number) => UpdateChunk | undefined,
  features: FeatureNumbers,
  label: unknown,
  weight: number,
  origin: Origin,
) => void;

// An update, little-endian: flags (8 bits), offset (float64), what the flags say (weight, place, label), the dense numbers, the
// number of hashed coordinates (32 bits), their indices, and their values if one of them is not 1.
const WEIGHTED = 1;
const DENSE_64 = 2;
const VALUES_64 = 4;
const ONES = 8;
/** Another topic or partition than that of the update before, or the first update of a chunk. */
const ELSEWHERE = 16;
const LABEL_SHIFT = 5;
const LABEL = { none: 0, false: 1, true: 2, number: 3, other: 4 } as const;
/** Flags, offset, weight, partition, two lengths, a label that is a number, and the number of coordinates. */
const FIXED_BYTES = 1 + 8 + 8 + 4 + 4 + 4 + 8 + 4;

/** For updates whose features have this shape. Keeps every bit of their numbers. */
export function updateWriter({ denseSize }: FeatureShape): UpdateWriter {
  const utf8 = new TextEncoder();
  let topic = '';
  let topicBytes = utf8.encode(topic);
  let partition = -1;
  let lastChunk: UpdateChunk | undefined;
  let lastEnd = 0;

  return (room, { dense, indices, values }, label, weight, origin) => {
    const place = origin.physical ? inTheLog(origin) : origin;
    const kind = labelKindOf(label);
    const packed = kind === LABEL.other ? pack(label) : undefined;
    const count = indices.length;
    const isSamePlace = place.topic === topic && place.partition === partition;
    if (place.topic !== topic) topicBytes = utf8.encode(place.topic);
    topic = place.topic;
    partition = place.partition;
    const chunk = room(FIXED_BYTES + topicBytes.length + (packed?.length ?? 0) + 8 * denseSize + 12 * count);
    if (chunk === undefined) return;

    const { view } = chunk;
    const isFollowing = isSamePlace && chunk === lastChunk && chunk.at === lastEnd;
    const is64 = values instanceof Float64Array;
    const isOnes = areOnes(values, count);
    let at = chunk.at;
    view.setUint8(
      at,
      (weight === 1 ? 0 : WEIGHTED) |
        (dense instanceof Float64Array ? DENSE_64 : 0) |
        (is64 ? VALUES_64 : 0) |
        (isOnes ? ONES : 0) |
        (isFollowing ? 0 : ELSEWHERE) |
        (kind << LABEL_SHIFT),
    );
    view.setFloat64(at + 1, place.offset, true);
    at += 9;
    if (weight !== 1) {
      view.setFloat64(at, weight, true);
      at += 8;
    }
    if (!isFollowing) {
      view.setInt32(at, partition, true);
      at = writeBytes(view, at + 4, topicBytes);
    }
    if (kind === LABEL.number) {
      view.setFloat64(at, label as number, true);
      at += 8;
    } else if (packed) at = writeBytes(view, at, packed);
    at = writeNumbers(view, at, dense, denseSize);
    view.setUint32(at, count, true);
    at += 4;
    for (let i = 0; i < count; i++, at += 4) view.setUint32(at, indices[i] as number, true);
    if (!isOnes) at = writeNumbers(view, at, values, count);
    chunk.at = at;
    lastChunk = chunk;
    lastEnd = at;
  };
}

/** Calls `use` with each update of a chunk. The arrays of its features are written again for the next one. */
export function updateReader({
  denseSize,
}: FeatureShape): (chunk: UpdateChunk, use: (u: LoggedUpdate) => void) => void {
  const text = new TextDecoder();
  const dense32 = new Float32Array(denseSize);
  const dense64 = new Float64Array(denseSize);
  let indices = new Uint32Array(0);
  let values: FeatureArray = new Float32Array(0);

  return (chunk, use) => {
    const { view, end } = chunk;
    let topic = '';
    let partition = 0;
    let at = chunk.at;
    const bytes = (): Uint8Array => {
      const length = view.getUint32(at, true);
      at += 4 + length;
      return new Uint8Array(view.buffer, view.byteOffset + at - length, length);
    };
    const float64 = (): number => {
      at += 8;
      return view.getFloat64(at - 8, true);
    };
    while (at < end) {
      const flags = view.getUint8(at++);
      const offset = float64();
      const weight = flags & WEIGHTED ? float64() : 1;
      if (flags & ELSEWHERE) {
        partition = view.getInt32(at, true);
        at += 4;
        topic = text.decode(bytes());
      }
      const kind = flags >>> LABEL_SHIFT;
      let label: unknown = kind === LABEL.none ? undefined : kind === LABEL.true;
      if (kind === LABEL.number) label = float64();
      else if (kind === LABEL.other) {
        const packed = bytes().slice();
        label = unpack(packed, 0, packed.length);
      }
      const dense = flags & DENSE_64 ? dense64 : dense32;
      at = readNumbers(view, at, dense);
      const count = view.getUint32(at, true);
      at += 4;
      if (indices.length !== count) indices = new Uint32Array(count);
      for (let i = 0; i < count; i++, at += 4) indices[i] = view.getUint32(at, true);
      const Values = flags & VALUES_64 ? Float64Array : Float32Array;
      if (values.length !== count || !(values instanceof Values)) values = new Values(count);
      if (flags & ONES) values.fill(1);
      else at = readNumbers(view, at, values);
      use({ features: { dense, indices, values }, label, weight, topic, partition, offset });
    }
    chunk.at = at;
  };
}

function labelKindOf(label: unknown): number {
  if (label === undefined) return LABEL.none;
  if (label === true) return LABEL.true;
  if (label === false) return LABEL.false;
  return typeof label === 'number' ? LABEL.number : LABEL.other;
}

function areOnes(values: FeatureArray, count: number): boolean {
  for (let i = 0; i < count; i++) if (values[i] !== 1) return false;
  return true;
}

function writeNumbers(view: DataView, from: number, numbers: FeatureArray, count: number): number {
  let at = from;
  if (numbers instanceof Float64Array)
    for (let i = 0; i < count; i++, at += 8) view.setFloat64(at, numbers[i] as number, true);
  else for (let i = 0; i < count; i++, at += 4) view.setFloat32(at, numbers[i] as number, true);
  return at;
}

function readNumbers(view: DataView, from: number, into: FeatureArray): number {
  let at = from;
  if (into instanceof Float64Array) for (let i = 0; i < into.length; i++, at += 8) into[i] = view.getFloat64(at, true);
  else for (let i = 0; i < into.length; i++, at += 4) into[i] = view.getFloat32(at, true);
  return at;
}

/** Writes a length of 32 bits and bytes. */
function writeBytes(view: DataView, at: number, bytes: Uint8Array): number {
  view.setUint32(at, bytes.length, true);
  new Uint8Array(view.buffer, view.byteOffset + at + 4, bytes.length).set(bytes);
  return at + 4 + bytes.length;
}
