import { typeTextOf } from '../table/type-text.js';
import { array, map, nullable, tuple } from './containers.js';
import { bool, decimal, float, integer } from './numbers.js';
import { enumeration, fixedString, ipv4, ipv6, json, string, uuid } from './texts.js';
import { date, dateTime, dateTime64, type TimeUnit } from './times.js';
import type { ValueType } from './value-type.js';

export type { TimeUnit } from './times.js';
export { quotedText, type ValueType } from './value-type.js';

/**
 * Returns how values of a ClickHouse type are checked and written for `JSONCompactEachRow`. The check is needed because ClickHouse
 * itself stores 300 in a `UInt8` as 44, and truncates the digits of a decimal.
 *
 * Numbers for times count milliseconds unless `unit` says otherwise. Unknown types are written as JSON.
 *
 * @example
 * valueTypeOf('Nullable(UInt8)').fits(300); // false
 */
export function valueTypeOf(type: string, unit: TimeUnit = 'millis'): ValueType {
  const { name, parameters } = typeTextOf(type);
  const inner = (index = 0) => valueTypeOf(parameters[index] ?? '', unit);
  const [, unsigned, bits] = /^(U?)Int(8|16|32|64|128|256)$/.exec(name) ?? [];
  if (bits !== undefined) return integer(Number(bits), unsigned === '');
  switch (name) {
    case 'Nullable':
      return nullable(inner());
    case 'LowCardinality':
      return inner();
    case 'SimpleAggregateFunction': // of a function, and of the type that it stores
      return inner(1);
    case 'Array':
      return array(inner());
    case 'Map':
      return map(inner(0), /Int\d+$|Int\d+\)$/.test(parameters[0] ?? ''), inner(1));
    case 'Tuple':
      return tuple(parameters, (element) => valueTypeOf(element, unit));
    case 'Float64':
      return float(64);
    case 'Float32':
      return float(32);
    case 'Bool':
      return bool;
    case 'String':
      return string;
    case 'FixedString':
      return fixedString(Number(parameters[0]));
    case 'UUID':
      return uuid;
    case 'IPv4':
      return ipv4;
    case 'IPv6':
      return ipv6;
    case 'Enum':
    case 'Enum8':
    case 'Enum16':
      return enumeration(parameters);
    case 'Decimal':
      return decimal(Number(parameters[0] ?? 10), Number(parameters[1] ?? 0));
    case 'Decimal32':
    case 'Decimal64':
    case 'Decimal128':
    case 'Decimal256':
      return decimal(decimalDigits[name], Number(parameters[0] ?? 0));
    case 'DateTime64':
      return dateTime64(Number(parameters[0] ?? 3), unit);
    case 'DateTime':
    case 'DateTime32':
      return dateTime(unit);
    case 'Date':
    case 'Date32':
      return date(unit, name === 'Date32');
    default:
      return json;
  }
}

const decimalDigits = { Decimal32: 9, Decimal64: 18, Decimal128: 38, Decimal256: 76 } as const;
