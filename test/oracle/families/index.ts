import type { Family } from '../case.js';
import { aggregates } from './aggregates.js';
import { features } from './features.js';
import { joins, tableJoins, tables } from './joins.js';
import { patterns } from './patterns.js';
import { duplicates, imputers, sampling } from './quality.js';
import { runs } from './runs.js';
import { changes, windows } from './windows.js';

export const families = [
  windows,
  changes,
  joins,
  tableJoins,
  tables,
  duplicates,
  sampling,
  imputers,
  patterns,
  features,
  aggregates,
  runs,
] as unknown as readonly Family[];
