import type { OutputType, TensorType } from '../../core/inference.js';
import type { OriginKind, Place, TargetKind } from './places.js';
import type { Field } from './samples/fields.js';
import type { Shape } from './shape.js';

export const tasks = ['route', 'learn', 'score', 'count'] as const;
export type Task = (typeof tasks)[number];

/** Records that a topology reads. */
export interface Input {
  /** Id of the source. */
  readonly id: string;
  readonly origin: Place<OriginKind>;
  readonly shape: Shape;
  /** What they are keyed by. */
  readonly key: Field;
  /** When they happened; the log's own time where this is missing. */
  readonly time: Field | undefined;
}

/** What is true of a record where its label is: a field that is true, at least a number, or a text. */
export interface Label {
  readonly field: Field;
  readonly is: { readonly atLeast: number } | { readonly equal: string } | undefined;
}

/** An ONNX file that scores: it takes a row of numbers, or a value by each of its inputs, as a pipeline of scikit-learn does. */
export type ScoringModel = { readonly path: string } & (
  | { readonly inputSize: number; readonly columns?: undefined }
  | { readonly columns: Columns; readonly inputSize?: undefined }
);

export interface Columns {
  readonly inputs: readonly ColumnInput[];
  readonly outputs: readonly ColumnOutput[];
}

/** An input, and the field of a record that fills it. */
export interface ColumnInput {
  readonly name: string;
  readonly type: TensorType | 'bool';
  readonly shape: readonly number[];
  readonly field: Field;
}

export interface ColumnOutput {
  readonly name: string;
  readonly type: OutputType;
  readonly shape: readonly number[];
}

/** All that is known of a topology that is to be written. */
export interface Plan {
  readonly name: string;
  /** The folder that is written to. */
  readonly folder: string;
  readonly input: Input;
  readonly task: Task;
  /** Of `learn`: what is predicted, and whose records say so; the input's own where there are no others. */
  readonly label: Label | undefined;
  readonly labels: Input | undefined;
  /** Of `score`: the ONNX file. */
  readonly model: ScoringModel | undefined;
  readonly target: Place<TargetKind>;
}
