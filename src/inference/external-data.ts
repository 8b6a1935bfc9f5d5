import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';

/** A file with weights of a model. */
export interface DataFile {
  /** The name that the model has for it. */
  readonly path: string;
  readonly place: string;
  readonly bytes: number;
}

/** The digest of a model's file, or of it and the files with its weights. */
export const digestOfAll = (
  digest: string,
  data: readonly { readonly path: string; readonly digest: string }[],
): string =>
  data.length === 0 ? digest : sha256(JSON.stringify([digest, data.map((each) => [each.path, each.digest])]));

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A part of a file. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Bytes of a file, up to `length` of them. */
type Read = (at: number, length: number) => Buffer;

// The numbers of the fields are those of onnx.proto3.
const EXTERNAL_DATA_OF_TENSOR = 13;
const KEY = 1;
const VALUE = 2;

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'tensor';

/** Where messages have others that lead to tensors, by the number of the field. */
const parts: Readonly<Record<Message, readonly (readonly [field: number, message: Message])[]>> = {
  model: [[7, 'graph']],
  graph: [
    [5, 'tensor'],
    [1, 'node'],
  ],
  node: [[5, 'attribute']],
  attribute: [
    [5, 'tensor'],
    [6, 'graph'],
  ],
  tensor: [],
};

/** Protobuf reads no message that is deeper. */
const DEPTH_MAX = 100;

/** The tensors in a message, and how deep they are: of a graph its own, those of its nodes, and those of the graphs in these (`If`, `Loop`). */
function* tensorsIn(read: Read, span: Span, message: Message, depth = 0): Generator<Span & { readonly depth: number }> {
  if (message === 'tensor') yield { ...span, depth };
  if (depth === DEPTH_MAX) return;
  for (const [field, part] of parts[message])
    for (const inner of fieldsOf(read, span, field)) yield* tensorsIn(read, inner, part, depth + 1);
}

/** Of the attribute of a node of the model: what is deeper belongs to a graph in it. */
const DEPTH_OF_ATTRIBUTE = 4;

export interface ExternalFile {
  /** The name that the model has for it. */
  readonly path: string;
  /** It has weights of a graph in a node. ONNX Runtime takes no buffers for these. */
  readonly isOfSubgraph: boolean;
}

/**
 * The files that hold weights of an ONNX model beside it. Weights are passed over, not read. Of a file that is no model it finds none:
 * ONNX Runtime says what is wrong with it.
 *
 * Memory: 64 KiB of the file.
 */
export function externalFiles(fd: number, size: number): readonly ExternalFile[] {
  const read = windowOf(fd);
  const isOfSubgraph = new Map<string, boolean>();
  for (const tensor of tensorsIn(read, { from: 0, to: size }, 'model'))
    for (const entry of fieldsOf(read, tensor, EXTERNAL_DATA_OF_TENSOR)) {
      if (textOf(read, entry, KEY) !== 'location') continue;
      const path = textOf(read, entry, VALUE);
      isOfSubgraph.set(path, isOfSubgraph.get(path) === true || tensor.depth > DEPTH_OF_ATTRIBUTE);
    }
  return [...isOfSubgraph].map(([path, is]) => ({ path, isOfSubgraph: is }));
}

const WINDOW_BYTES = 64 * 1_024;

function windowOf(fd: number): Read {
  let start = 0;
  let window = Buffer.alloc(0);
  return (at, length) => {
    if (at < start || at + length > start + window.length) {
      const bytes = Buffer.alloc(Math.max(length, WINDOW_BYTES));
      window = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, at));
      start = at;
    }
    return window.subarray(at - start, at - start + length);
  };
}

const VARINT_BYTES_MAX = 10;

/** A number of 7 bits a byte, and where it ends. Past the end of the file it is not a number. */
function varintAt(read: Read, at: number): { readonly value: number; readonly end: number } {
  const bytes = read(at, VARINT_BYTES_MAX);
  let value = 0;
  for (const [i, byte] of bytes.entries()) {
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, end: at + i + 1 };
  }
  return { value: Number.NaN, end: Number.NaN };
}

/** What the wire types of fixed size take. */
const fixedBytes: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** The messages and texts with this number in a message. */
function* fieldsOf(read: Read, { from, to }: Span, wanted: number): Generator<Span> {
  for (let at = from; at < to; ) {
    const tag = varintAt(read, at);
    const [field, wire] = [Math.floor(tag.value / 8), tag.value % 8];
    const fixed = fixedBytes[wire];
    if (fixed !== undefined) at = tag.end + fixed;
    else if (wire === 0) at = varintAt(read, tag.end).end;
    else if (wire === 2) {
      const { value: length, end } = varintAt(read, tag.end);
      at = end + length;
      if (field === wanted && at <= to) yield { from: end, to: at };
    } else return;
  }
}

function textOf(read: Read, message: Span, field: number): string {
  for (const { from, to } of fieldsOf(read, message, field)) return read(from, to - from).toString();
  return '';
}
