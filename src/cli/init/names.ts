import { typeName } from '../../schema/typescript/index.js';
import { variableName } from './code.js';

// Names that the files of `init` give to sources, outputs and records, and those that they have for other things.

/** `orders` are made of an order. */
export const singular = (name: string): string => name.replace(/([^s])s$/, '$1');

/** What the records of a stream are called: of `orders` each is an `Order`. */
export const recordName = (name: string): string => typeName(singular(name));

/** Whether an id, or its variable, would be called as something else in the files that are written. */
export const isReserved = (name: string): boolean => reservedNames.has(variableName(name));

/** Whether its records would be. */
export const isReservedRecord = (name: string): boolean => reservedRecords.has(singular(name));

const reservedNames = new Set(
  [
    // ids of steps and sinks, and variables
    'dedupe sound labelled features model scored hourly results otherwise labels t cleaned',
    // what a topology's file imports
    'topology expectations validate filter route map window tumbling count sum featureView featurize numeric hashed cyclic',
    'learn logisticRegression ftrl infer millis minutes hours days json ndjson',
    'kafka clickhouse redis file postgres http',
    // what its test imports and declares
    'test assert run label',
  ].flatMap((names) => names.split(' ')),
);

/** Types and variables that are called as one record would be. */
const reservedRecords = new Set(['scored', 'counted', 'test', 'assert', 'run', 'label', 'date', 'number', 'string']);
