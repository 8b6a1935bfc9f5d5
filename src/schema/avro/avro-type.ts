/** The meaning of a logical type; others are read as their base type, as the specification requires. */
export type Logical =
  | { readonly name: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly name: 'timestamp'; readonly unit: 'millis' | 'micros'; readonly local: boolean }
  | { readonly name: 'date' };

export interface AvroPrimitive {
  readonly kind: 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';
  readonly logical: Logical | undefined;
}

export interface AvroArray {
  readonly kind: 'array';
  readonly items: AvroType;
}

export interface AvroMap {
  readonly kind: 'map';
  readonly values: AvroType;
}

export interface AvroUnion {
  readonly kind: 'union';
  readonly branches: readonly AvroType[];
}

interface Named {
  /** With its namespace. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly doc: string | undefined;
}

export interface AvroEnum extends Named {
  readonly kind: 'enum';
  readonly symbols: readonly string[];
  readonly default: string | undefined;
}

export interface AvroFixed extends Named {
  readonly kind: 'fixed';
  readonly size: number;
  readonly logical: Logical | undefined;
}

export interface AvroField {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: AvroType;
  /** In JSON, as in the schema; `undefined` if there is none. */
  readonly default: unknown;
  readonly doc: string | undefined;
}

export interface AvroRecord extends Named {
  readonly kind: 'record';
  readonly fields: readonly AvroField[];
}

/** An Avro schema with resolved names: records may contain themselves. */
export type AvroType = AvroPrimitive | AvroArray | AvroMap | AvroUnion | AvroEnum | AvroFixed | AvroRecord;

/** The name without its namespace. */
export const shortName = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** The name of a type in messages, and in the wrappers of ambiguous unions. */
export const nameOf = (type: AvroType): string => ('name' in type ? type.name : type.kind);
