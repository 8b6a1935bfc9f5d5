// A writer of small ONNX models. The numbers of the fields are those of onnx.proto3 and onnx-ml.proto.

type Value = number | string | Uint8Array;
/** A message: its fields in any order. A number is written as a varint. */
type Fields = readonly (readonly [field: number, value: Value])[];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return [...bytes, Number(left)];
}

function message(fields: Fields): Uint8Array {
  const parts = fields.map(([field, value]) => {
    if (typeof value === 'number') return Buffer.from([...varint(field * 8), ...varint(value)]);
    const bytes = Buffer.from(value as Uint8Array);
    return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes]);
  });
  return Buffer.concat(parts);
}

const FLOAT = 1;
const INT64 = 7;
const STRING = 8;
const BOOL = 9;
const FLOAT16 = 10;
const DOUBLE = 11;
const INT8 = 3;
const UINT64 = 13;

const each = (field: number, values: readonly Value[]): Fields => values.map((value) => [field, value]);
const floatsOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

export const attribute = {
  int: (name: string, value: number) =>
    message([
      [1, name],
      [3, value],
      [20, 2],
    ]),
  ints: (name: string, values: readonly number[]) => message([[1, name], ...each(8, values), [20, 7]]),
  strings: (name: string, values: readonly string[]) => message([[1, name], ...each(9, values), [20, 8]]),
  // `floats` is repeated and packed: one field of all bytes.
  floats: (name: string, values: readonly number[]) =>
    message([
      [1, name],
      [7, floatsOf(values)],
      [20, 6],
    ]),
  tensor: (name: string, value: Uint8Array) =>
    message([
      [1, name],
      [5, value],
      [20, 4],
    ]),
  graph: (name: string, value: Uint8Array) =>
    message([
      [1, name],
      [6, value],
      [20, 5],
    ]),
};

export const node = (
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Uint8Array[] = [],
  domain = '',
): Uint8Array =>
  message([
    ...each(1, inputs),
    ...each(2, outputs),
    [4, type],
    ...each(5, attributes),
    ...(domain ? [[7, domain] as const] : []),
  ]);

export const tensor = (name: string, dims: readonly number[], values: Float32Array): Uint8Array =>
  message([
    ...each(1, dims),
    [2, FLOAT],
    [8, name],
    [9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)],
  ]);

const float64 = (name: string, value: number): Uint8Array =>
  message([
    [2, DOUBLE],
    [8, name],
    [9, new Uint8Array(Float64Array.of(value).buffer)],
  ]);

const texts = (name: string, values: readonly string[]): Uint8Array =>
  message([[1, values.length], [2, STRING], ...each(6, values), [8, name]]);

/** An input or output; a dimension is a number, or a name if it varies. */
const valueInfo = (name: string, type: number, dims: readonly (number | string)[] | undefined): Uint8Array => {
  const shape = dims && message(dims.map((dim) => [1, message([typeof dim === 'number' ? [1, dim] : [2, dim]])]));
  const tensorType = message([[1, type], ...(shape ? [[2, shape] as const] : [])]);
  return message([
    [1, name],
    [2, message([[1, tensorType]])],
  ]);
};

interface Graph {
  readonly nodes: readonly Uint8Array[];
  readonly initializers?: readonly Uint8Array[];
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

const graph = ({ nodes, initializers = [], inputs, outputs }: Graph): Uint8Array =>
  message([...each(1, nodes), [2, 'graph'], ...each(5, initializers), ...each(11, inputs), ...each(12, outputs)]);

const model = (content: Graph): Uint8Array =>
  message([
    [1, 8],
    [
      8,
      message([
        [1, ''],
        [2, 17],
      ]),
    ],
    [
      8,
      message([
        [1, 'ai.onnx.ml'],
        [2, 3],
      ]),
    ],
    [7, graph(content)],
  ]);

/** Dense layers of these widths with random weights: rectified, and the last one through a sigmoid. */
export function mlp(widths: readonly number[], random: () => number): Uint8Array {
  const nodes: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  let from = 'x';
  for (const [layer, width] of widths.slice(1).entries()) {
    const before = widths[layer] as number;
    const scale = Math.sqrt(2 / before);
    const weights = Float32Array.from({ length: before * width }, () => (random() * 2 - 1) * scale);
    const bias = Float32Array.from({ length: width }, () => random() - 0.5);
    initializers.push(tensor(`w${layer}`, [before, width], weights), tensor(`b${layer}`, [width], bias));
    const isLast = layer === widths.length - 2;
    nodes.push(node('Gemm', [from, `w${layer}`, `b${layer}`], [`z${layer}`]));
    nodes.push(node(isLast ? 'Sigmoid' : 'Relu', [`z${layer}`], [isLast ? 'y' : `a${layer}`]));
    from = `a${layer}`;
  }
  const inputs = [valueInfo('x', FLOAT, ['N', widths[0] as number])];
  return model({ nodes, initializers, inputs, outputs: [valueInfo('y', FLOAT, ['N', widths.at(-1) as number])] });
}

/**
 * A classifier with an output of each kind: `probabilities` of the classes, the number (`top`) and the `name` of the likeliest, whether
 * it is `sure`, and the rounded logits twice, as `half` and as `whole`. Its input may be float16.
 */
export function classifier(names: readonly string[], { isHalf = false } = {}): Uint8Array {
  const width = names.length;
  const { int } = attribute;
  return model({
    nodes: [
      node('Cast', ['x'], ['logits'], [int('to', FLOAT)]),
      node('Softmax', ['logits'], ['probabilities'], [int('axis', 1)]),
      node('ArgMax', ['logits'], ['top'], [int('axis', 1), int('keepdims', 0)]),
      node('Gather', ['names', 'top'], ['name']),
      node('ReduceMax', ['probabilities'], ['most'], [attribute.ints('axes', [1]), int('keepdims', 0)]),
      node('Greater', ['most', 'enough'], ['sure']),
      node('Cast', ['x'], ['half'], [int('to', FLOAT16)]),
      node('Cast', ['logits'], ['whole'], [int('to', INT64)]),
    ],
    initializers: [texts('names', names), tensor('enough', [], Float32Array.of(0.6))],
    inputs: [valueInfo('x', isHalf ? FLOAT16 : FLOAT, ['N', width])],
    outputs: [
      valueInfo('probabilities', FLOAT, ['N', width]),
      valueInfo('top', INT64, ['N']),
      valueInfo('name', STRING, ['N']),
      valueInfo('sure', BOOL, ['N']),
      valueInfo('half', FLOAT16, ['N', width]),
      valueInfo('whole', INT64, ['N', width]),
    ],
  });
}

/**
 * Takes a word, an amount, two small and two large integers. Gives what the word is worth (-0 for words that it does not know), the word
 * itself, a third of the amount as float64, the integers as they are, and whether it is not sure.
 */
export function mixed(worth: Readonly<Record<string, number>>): Uint8Array {
  const inputs = [
    valueInfo('word', STRING, ['N']),
    valueInfo('amount', DOUBLE, ['N', 1]),
    valueInfo('small', INT8, ['N', 2]),
    valueInfo('large', UINT64, ['N', 2]),
    valueInfo('sure', BOOL, ['N']),
  ];
  const { strings, floats } = attribute;
  const values = [strings('keys_strings', Object.keys(worth)), floats('values_floats', Object.values(worth))];
  return model({
    nodes: [
      node('LabelEncoder', ['word'], ['worth'], values, 'ai.onnx.ml'),
      node('Identity', ['word'], ['same']),
      node('Div', ['amount', 'three'], ['third']),
      node('Identity', ['small'], ['tiny']),
      node('Identity', ['large'], ['huge']),
      node('Not', ['sure'], ['unsure']),
    ],
    initializers: [float64('three', 3)],
    inputs,
    outputs: [
      valueInfo('worth', FLOAT, ['N']),
      valueInfo('same', STRING, ['N']),
      valueInfo('third', DOUBLE, ['N', 1]),
      valueInfo('tiny', INT8, ['N', 2]),
      valueInfo('huge', UINT64, ['N', 2]),
      valueInfo('unsure', BOOL, ['N']),
    ],
  });
}

/** Takes a city, an area and a flag, as a pipeline of columns does. Gives the price of the area there, and whether it knows the city. */
export function priced(prices: Readonly<Record<string, number>>): Uint8Array {
  const { strings, floats, int } = attribute;
  const values = [strings('keys_strings', Object.keys(prices)), floats('values_floats', Object.values(prices))];
  return model({
    nodes: [
      node('LabelEncoder', ['city'], ['each'], values, 'ai.onnx.ml'),
      node('Cast', ['each'], ['exact'], [int('to', DOUBLE)]),
      node('Mul', ['exact', 'area_m2'], ['price']),
      node('Cast', ['each'], ['some'], [int('to', BOOL)]),
      node('And', ['some', 'isNew'], ['known']),
    ],
    inputs: [
      valueInfo('city', STRING, ['N', 1]),
      valueInfo('area_m2', DOUBLE, ['N', 1]),
      valueInfo('isNew', BOOL, ['N', 1]),
    ],
    outputs: [valueInfo('price', DOUBLE, ['N', 1]), valueInfo('known', BOOL, ['N', 1])],
  });
}

/** Scores of two classes, linear in the features, as scikit-learn's linear models are exported. */
export function linear(width: number, random: () => number): Uint8Array {
  const { ints, floats } = attribute;
  const numbers = (count: number) => Array.from({ length: count }, () => 2 * random() - 1);
  const of = [
    ints('classlabels_ints', [0, 1]),
    floats('coefficients', numbers(2 * width)),
    floats('intercepts', [0, 0]),
  ];
  return model({
    nodes: [node('LinearClassifier', ['x'], ['label', 'probabilities'], of, 'ai.onnx.ml')],
    inputs: [valueInfo('x', FLOAT, ['N', width])],
    outputs: [valueInfo('label', INT64, ['N']), valueInfo('probabilities', FLOAT, ['N', 2])],
  });
}

/** The first columns of four, as many as the largest number says, and two more. */
export function widening(): Uint8Array {
  const { int } = attribute;
  const whole = (from: string, to: string) => node('Cast', [from], [to], [int('to', INT64)]);
  return model({
    nodes: [
      ...['zero', 'one', 'two'].map((name) => whole(`${name} as float`, name)),
      node('ReduceMax', ['x'], ['most'], [int('keepdims', 0)]),
      whole('most', 'more'),
      node('Unsqueeze', ['more', 'zero'], ['columns']),
      node('Add', ['columns', 'two'], ['end']),
      node('Slice', ['x', 'zero', 'end', 'one'], ['y']),
    ],
    initializers: ['zero', 'one', 'two'].map((name, i) => tensor(`${name} as float`, [1], Float32Array.of(i))),
    inputs: [valueInfo('x', FLOAT, ['N', 4])],
    outputs: [valueInfo('y', FLOAT, ['N', 'K'])],
  });
}

/** A third of each number, all in float64. */
export const thirds = (width: number): Uint8Array =>
  model({
    nodes: [node('Div', ['x', 'three'], ['y'])],
    initializers: [float64('three', 3)],
    inputs: [valueInfo('x', DOUBLE, ['N', width])],
    outputs: [valueInfo('y', DOUBLE, ['N', width])],
  });

/** Gives back its numbers, all in float16. */
export const halves = (width: number): Uint8Array =>
  model({
    nodes: [node('Identity', ['x'], ['y'])],
    inputs: [valueInfo('x', FLOAT16, ['N', width])],
    outputs: [valueInfo('y', FLOAT16, ['N', width])],
  });

/** Rounds its numbers to 256 levels: of 1/100, or with a scale that follows from all rows of a batch, as of dynamic int8. */
export function quantized({ isDynamic }: { readonly isDynamic: boolean }): Uint8Array {
  const scaled = ['levels', 'scale', ...(isDynamic ? ['zero'] : [])];
  return model({
    nodes: [
      isDynamic ? node('DynamicQuantizeLinear', ['x'], scaled) : node('QuantizeLinear', ['x', 'scale'], ['levels']),
      node('DequantizeLinear', scaled, ['y']),
    ],
    initializers: isDynamic ? [] : [tensor('scale', [], Float32Array.of(0.01))],
    inputs: [valueInfo('x', FLOAT, ['N', 2])],
    outputs: [valueInfo('y', FLOAT, ['N', 2])],
  });
}

/** Two float32 that lie in a file of this name. */
const weightsBeside = (location: string): Uint8Array =>
  message([
    [1, 2],
    [2, FLOAT],
    [8, 'w'],
    [
      13,
      message([
        [1, 'location'],
        [2, location],
      ]),
    ],
    [14, 1],
  ]);

const byTwo = { inputs: [valueInfo('x', FLOAT, ['N', 2])], outputs: [valueInfo('y', FLOAT, ['N', 2])] };

/** Multiplies two numbers by weights that lie in a file of this name: two float32. */
export const weightsIn = (location: string): Uint8Array =>
  model({ nodes: [node('Mul', ['x', 'w'], ['y'])], initializers: [weightsBeside(location)], ...byTwo });

/** The same, with the weights in a node. */
export const weightsInNode = (location: string): Uint8Array =>
  model({
    nodes: [
      node('Constant', [], ['w'], [attribute.tensor('value', weightsBeside(location))]),
      node('Mul', ['x', 'w'], ['y']),
    ],
    initializers: [],
    ...byTwo,
  });

/** The same, with the weights in the branches of an `If`. */
export function weightsInBranches(location: string): Uint8Array {
  const branch = graph({
    nodes: [node('Mul', ['x', 'w'], ['z'])],
    initializers: [weightsBeside(location)],
    inputs: [],
    outputs: [valueInfo('z', FLOAT, ['N', 2])],
  });
  const branches = ['then_branch', 'else_branch'].map((name) => attribute.graph(name, branch));
  return model({
    nodes: [
      node('ReduceSum', ['x'], ['sum'], [attribute.int('keepdims', 0)]),
      node('Cast', ['sum'], ['is'], [attribute.int('to', BOOL)]),
      node('If', ['is'], ['y'], branches),
    ],
    initializers: [],
    ...byTwo,
  });
}

/** Complete binary trees of this depth over `features` numbers in [0, 1), summed. */
export function trees(count: number, depth: number, features: number, random: () => number): Uint8Array {
  const inner = 2 ** depth - 1;
  const all = 2 * inner + 1;
  const column = (of: (tree: number, id: number) => number) =>
    Array.from({ length: count * all }, (_, i) => of(Math.floor(i / all), i % all));
  const isLeaf = (id: number) => id >= inner;
  const leaves = column((_, id) => id).flatMap((id, i) => (isLeaf(id) ? [[Math.floor(i / all), id] as const] : []));
  const { int, ints, floats, strings } = attribute;
  const attributes = [
    int('n_targets', 1),
    ints(
      'nodes_treeids',
      column((tree) => tree),
    ),
    ints(
      'nodes_nodeids',
      column((_, id) => id),
    ),
    ints(
      'nodes_featureids',
      column((_, id) => (isLeaf(id) ? 0 : Math.floor(random() * features))),
    ),
    floats(
      'nodes_values',
      column((_, id) => (isLeaf(id) ? 0 : random())),
    ),
    strings(
      'nodes_modes',
      column((_, id) => id).map((id) => (isLeaf(id) ? 'LEAF' : 'BRANCH_LEQ')),
    ),
    ints(
      'nodes_truenodeids',
      column((_, id) => (isLeaf(id) ? 0 : 2 * id + 1)),
    ),
    ints(
      'nodes_falsenodeids',
      column((_, id) => (isLeaf(id) ? 0 : 2 * id + 2)),
    ),
    ints(
      'target_treeids',
      leaves.map(([tree]) => tree),
    ),
    ints(
      'target_nodeids',
      leaves.map(([, id]) => id),
    ),
    ints(
      'target_ids',
      leaves.map(() => 0),
    ),
    floats(
      'target_weights',
      leaves.map(() => random() - 0.5),
    ),
  ];
  return model({
    nodes: [node('TreeEnsembleRegressor', ['x'], ['y'], attributes, 'ai.onnx.ml')],
    inputs: [valueInfo('x', FLOAT, ['N', features])],
    outputs: [valueInfo('y', FLOAT, ['N', 1])],
  });
}

/** Gives back its only number, after as many turns of a loop: a row of 1e12 hangs, one below 1 does not. */
export function turning(): Uint8Array {
  const body = graph({
    nodes: [node('Identity', ['going'], ['goes']), node('Identity', ['before'], ['after'])],
    inputs: [valueInfo('turn', INT64, []), valueInfo('going', BOOL, []), valueInfo('before', FLOAT, undefined)],
    outputs: [valueInfo('goes', BOOL, []), valueInfo('after', FLOAT, undefined)],
  });
  return model({
    nodes: [
      node('ReduceMax', ['x'], ['most'], [attribute.int('keepdims', 0)]),
      node('Cast', ['most'], ['turns'], [attribute.int('to', INT64)]),
      node('Loop', ['turns', '', 'x'], ['y'], [attribute.graph('body', body)]),
    ],
    inputs: [valueInfo('x', FLOAT, ['N', 1])],
    outputs: [valueInfo('y', FLOAT, ['N', 1])],
  });
}
