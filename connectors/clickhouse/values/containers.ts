import { tupleElements } from '../table/type-text.js';
import { quotedText, type ValueType } from './value-type.js';

/** `Nullable`: `undefined` is null as well. */
export const nullable = (inner: ValueType): ValueType => ({
  fits: (value) => value === null || value === undefined || inner.fits(value),
  write: (value) => (value === null || value === undefined ? 'null' : inner.write(value)),
});

type Items = ArrayLike<unknown>;

const isList = (value: unknown): value is Items =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** `Array`: from arrays and typed arrays. */
export const array = (inner: ValueType): ValueType => ({
  fits: (value) => {
    if (!isList(value)) return false;
    for (let i = 0; i < value.length; i++) if (!inner.fits(value[i])) return false;
    return true;
  },
  write: (value) => {
    const items = value as Items;
    let text = '[';
    for (let i = 0; i < items.length; i++) text += i === 0 ? inner.write(items[i]) : `,${inner.write(items[i])}`;
    return `${text}]`;
  },
});

/** Whether the value has its content in properties. */
const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' &&
  value !== null &&
  !isList(value) &&
  !(value instanceof Date || value instanceof Map || value instanceof Set);

const entriesOf = (value: object): (readonly [unknown, unknown])[] =>
  value instanceof Map ? [...value] : Object.entries(value);

/** `Map`: from objects and `Map`s. The property names of an object are strings; number keys are parsed from them. */
export const map = (key: ValueType, isNumber: boolean, inner: ValueType): ValueType => {
  const keyOf = (name: unknown): unknown =>
    isNumber && typeof name === 'string' && /^-?\d{1,80}$/.test(name) ? BigInt(name) : name;
  return {
    fits: (value) =>
      (isPlain(value) || value instanceof Map) &&
      entriesOf(value).every(([name, each]) => key.fits(keyOf(name)) && inner.fits(each)),
    write: (value) => {
      const pairs = entriesOf(value as object).map(([name, each]) => {
        const text = key.write(keyOf(name));
        return `${text.startsWith('"') ? text : quotedText(text)}:${inner.write(each)}`;
      });
      return `{${pairs.join(',')}}`;
    },
  };
};

/** `Tuple`: from objects if its elements have names, otherwise from arrays of its length. */
export function tuple(parameters: readonly string[], valueTypeOf: (type: string) => ValueType): ValueType {
  const elements = tupleElements(parameters).map(({ name, type }) => ({ name, inner: valueTypeOf(type) }));
  if (elements.every(({ name }) => name === undefined)) {
    return {
      fits: (value) =>
        isList(value) && value.length === elements.length && elements.every(({ inner }, i) => inner.fits(value[i])),
      write: (value) => `[${elements.map(({ inner }, i) => inner.write((value as Items)[i])).join(',')}]`,
    };
  }
  const named = elements.map(({ name = '', inner }) => ({ name, text: quotedText(name), inner }));
  return {
    fits: (value) => isPlain(value) && named.every(({ name, inner }) => inner.fits(value[name])),
    write: (value) => {
      const fields = value as Readonly<Record<string, unknown>>;
      return `{${named.map(({ name, text, inner }) => `${text}:${inner.write(fields[name])}`).join(',')}}`;
    },
  };
}
