import type { Scenario } from '../../../src/testing/sim/index.js';
import { clocked } from './clocked.js';
import { copies } from './copies.js';
import { drains } from './drains.js';
import { drift } from './drift.js';
import { evaluation } from './evaluation.js';
import { halving } from './halving.js';
import { joins } from './joins.js';
import { keyed } from './keyed.js';
import { lags } from './lags.js';
import { learning } from './learning.js';
import { quiet } from './quiet.js';
import { rates } from './rates.js';
import { scores } from './scores.js';
import { totals } from './totals.js';
import { transfers } from './transfers.js';
import { trees } from './trees.js';
import { unsupervised } from './unsupervised.js';
import { upgrades } from './upgrades.js';
import { windows } from './windows.js';

export const scenarios: Readonly<Record<string, Scenario>> = {
  copies,
  totals,
  learning,
  scores,
  transfers,
  quiet,
  windows,
  rates,
  joins,
  clocked,
  drains,
  upgrades,
  trees,
  unsupervised,
  keyed,
  halving,
  evaluation,
  drift,
  lags,
};
