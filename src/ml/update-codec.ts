import type { FeatureArray, FeatureNumbers, FeatureShape } from '../core/learner.js';
import { inTheLog, type Origin } from '../core/record.js';
import { pack, unpack } from '../state/codec.js';
import { type LoggedBytes, packedKey, type UpdateChunk } from '../state/index.js';
import { areOnes, onesOf } from './features/ones.js';

type Key = string | number;

/** An update as a log keeps it. */
export interface LoggedUpdate {
  readonly features: FeatureNumbers;
  readonly label: unknown;
  readonly weight: number;
  /** The key of its model, of models by key. */
  readonly key: Key | undefined;
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
  key?: Key,
) => void;

// An update, in little-endian words of 32 bits: flags and, above them, the number of hashed coordinates; the offset (64 bits);
// what the flags say (weight, place, key, label); the dense numbers; the indices; the values, if one of them is not 1.
const WEIGHTED = 1;
const DENSE_64 = 2;
const VALUES_64 = 4;
const ONES = 8;
/** Another topic or partition than that of the update before, or the first update of a chunk. */
const ELSEWHERE = 16;
const LABEL_SHIFT = 5;
const LABEL_BITS = 7;
const LABEL = { none: 0, false: 1, true: 2, number: 3, other: 4, keyed: 5 } as const;
/** Of an update with a key a word says more: the kind of the label and, above it, the bytes of the key. */
const KEY_SHIFT = 3;
const COUNT_SHIFT = 8;
const TWO_32 = 2 ** 32;
/** First word, offset, weight, partition, two lengths and what fills their last words up, a label that is a number. */
const FIXED_BYTES = 4 + 8 + 8 + 4 + 2 * (4 + 3) + 8;

/** For updates whose features have this shape. Keeps every bit of their numbers. */
export function updateWriter({ denseSize }: FeatureShape): UpdateWriter {
  const utf8 = new TextEncoder();
  let topic = '';
  let topicBytes = utf8.encode(topic);
  let partition = -1;
  let lastChunk: UpdateChunk | undefined;
  let lastEnd = 0;

  return (room, { dense, indices, values }, label, weight, origin, key) => {
    const place = origin.physical ? inTheLog(origin) : origin;
    const kind = labelKindOf(label);
    const packed = kind === LABEL.other ? pack(label) : undefined;
    const count = indices.length;
    const isSamePlace = place.topic === topic && place.partition === partition;
    if (!isSamePlace) {
      if (place.topic !== topic) topicBytes = utf8.encode(place.topic);
      topic = place.topic;
      partition = place.partition;
    }
    const keyBytes = key === undefined ? 0 : 4 + packedKey.bytesMax(key);
    const chunk = room(FIXED_BYTES + topicBytes.length + keyBytes + (packed?.length ?? 0) + 8 * denseSize + 12 * count);
    if (chunk === undefined) return;

    const { words } = chunk;
    const isFollowing = isSamePlace && chunk === lastChunk && chunk.at === lastEnd;
    const isOnes = areOnes(values, count);
    let at = chunk.at >>> 2;
    words[at] =
      (weight === 1 ? 0 : WEIGHTED) |
      (dense instanceof Float64Array ? DENSE_64 : 0) |
      (values instanceof Float64Array ? VALUES_64 : 0) |
      (isOnes ? ONES : 0) |
      (isFollowing ? 0 : ELSEWHERE) |
      ((key === undefined ? kind : LABEL.keyed) << LABEL_SHIFT) |
      (count << COUNT_SHIFT);
    words[at + 1] = place.offset;
    words[at + 2] = place.offset / TWO_32;
    at += 3;
    if (weight !== 1) at = writeFloat64(chunk, at, weight);
    if (!isFollowing) {
      words[at] = partition;
      at = writeBytes(chunk, at + 1, topicBytes);
    }
    if (key !== undefined) {
      const from = 4 * at + 4;
      const length = packedKey.write(chunk.bytes, from, key) - from;
      words[at] = kind | (length << KEY_SHIFT);
      at += 1 + filled(length) / 4;
    }
    if (kind === LABEL.number) at = writeFloat64(chunk, at, label as number);
    else if (packed) at = writeBytes(chunk, at, packed);
    at = writeNumbers(chunk, at, dense, denseSize);
    for (let i = 0; i < count; i++) words[at++] = indices[i] as number;
    if (!isOnes) at = writeNumbers(chunk, at, values, count);
    chunk.at = 4 * at;
    lastChunk = chunk;
    lastEnd = chunk.at;
  };
}

/** Calls `use` with each update of a chunk. The arrays of its features are written again for the next one. */
export function updateReader({
  denseSize,
}: FeatureShape): (chunk: LoggedBytes, use: (u: LoggedUpdate) => void) => void {
  const text = new TextDecoder();
  const dense32 = new Float32Array(denseSize);
  const dense64 = new Float64Array(denseSize);
  let indices = new Uint32Array(0);
  /** Values that are not all 1. */
  let others: FeatureArray = new Float32Array(0);

  return (chunk, use) => {
    const { view, end } = chunk;
    const all = new Uint8Array(view.buffer, view.byteOffset, end);
    let topic = '';
    let partition = 0;
    let at = chunk.at;
    const bytes = (): Uint8Array => {
      const length = view.getUint32(at, true);
      const from = at + 4;
      at = from + filled(length);
      return new Uint8Array(view.buffer, view.byteOffset + from, length);
    };
    const float64 = (): number => {
      at += 8;
      return view.getFloat64(at - 8, true);
    };
    while (at < end) {
      const first = view.getUint32(at, true);
      const flags = first & ((1 << COUNT_SHIFT) - 1);
      const count = first >>> COUNT_SHIFT;
      const offset = view.getUint32(at + 4, true) + TWO_32 * view.getUint32(at + 8, true);
      at += 12;
      const weight = flags & WEIGHTED ? float64() : 1;
      if (flags & ELSEWHERE) {
        partition = view.getInt32(at, true);
        at += 4;
        topic = text.decode(bytes());
      }
      let kind = (flags >>> LABEL_SHIFT) & LABEL_BITS;
      let key: Key | undefined;
      if (kind === LABEL.keyed) {
        const word = view.getUint32(at, true);
        kind = word & LABEL_BITS;
        key = packedKey.read(all, at + 4);
        at += 4 + filled(word >>> KEY_SHIFT);
      }
      let label: unknown = kind === LABEL.none ? undefined : kind === LABEL.true;
      if (kind === LABEL.number) label = float64();
      else if (kind === LABEL.other) {
        const packed = bytes().slice();
        label = unpack(packed, 0, packed.length);
      }
      const dense = flags & DENSE_64 ? dense64 : dense32;
      at = readNumbers(view, at, dense);
      if (indices.length !== count) indices = new Uint32Array(count);
      for (let i = 0; i < count; i++, at += 4) indices[i] = view.getUint32(at, true);
      let values: FeatureArray = onesOf(count);
      if (!(flags & ONES)) {
        const Values = flags & VALUES_64 ? Float64Array : Float32Array;
        if (others.length !== count || !(others instanceof Values)) others = new Values(count);
        at = readNumbers(view, at, others);
        values = others;
      }
      use({ features: { dense, indices, values }, label, weight, key, topic, partition, offset });
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

function writeNumbers(chunk: UpdateChunk, from: number, numbers: FeatureArray, count: number): number {
  let at = from;
  if (numbers instanceof Float64Array)
    for (let i = 0; i < count; i++) at = writeFloat64(chunk, at, numbers[i] as number);
  else for (let i = 0; i < count; i++) chunk.numbers[at++] = numbers[i] as number;
  return at;
}

function writeFloat64({ view }: UpdateChunk, at: number, value: number): number {
  view.setFloat64(4 * at, value, true);
  return at + 2;
}

function readNumbers(view: DataView, from: number, into: FeatureArray): number {
  let at = from;
  if (into instanceof Float64Array) for (let i = 0; i < into.length; i++, at += 8) into[i] = view.getFloat64(at, true);
  else for (let i = 0; i < into.length; i++, at += 4) into[i] = view.getFloat32(at, true);
  return at;
}

/** Writes a length and bytes, and fills up their last word. */
function writeBytes({ view, words }: UpdateChunk, at: number, bytes: Uint8Array): number {
  words[at] = bytes.length;
  new Uint8Array(view.buffer, view.byteOffset + 4 * at + 4, bytes.length).set(bytes);
  return at + 1 + filled(bytes.length) / 4;
}

const filled = (bytes: number): number => (bytes + 3) & ~3;
