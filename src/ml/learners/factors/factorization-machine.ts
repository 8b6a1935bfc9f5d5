import type { FeatureShape, Learner } from '../../../core/learner.js';
import { type LinearOptions, linearSettings, linearStructure } from '../linear/linear-model.js';
import { type LinearRegressionOptions, regression, regressionSettings } from '../linear/linear-regression.js';
import { logistic } from '../linear/logistic-regression.js';
import { type FactorOptions, openPairs, type PairCells, pairCells, pairSettings, pairStructure } from './pairs.js';

/** How a factorization machine learns: its weights, and the factors of its pairs. */
export interface FactorizationMachineOptions extends LinearOptions, FactorOptions {}

/** How a factorization machine for numbers learns. */
export interface FactorizationMachineRegressionOptions extends LinearRegressionOptions, FactorOptions {}

const structureOf = (options: FactorizationMachineOptions) =>
  Object.freeze({ ...linearStructure(options), ...pairStructure(options) });

/**
 * Factorization machine: logistic regression with a term for each pair of features, whose weight is the product of their factors. It
 * learns of pairs that it has never seen from those it has seen each of them in, so it suits sparse features: who, what, where.
 *
 * Guarantees: as those of `logisticRegression`. Where factors begin follows from the seed. Where a row moves its own score absurdly
 * far (numbers: past the label by three times the error), the factors of that row begin anew. Otherwise factors that one row made
 * large would grow with each row after it.
 * Memory: that of `logisticRegression`, and for each coordinate one number more and `factors` times those of `factorOptimizer`.
 * Source: Rendle, "Factorization Machines", ICDM 2010.
 *
 * @example learn(factorizationMachine({ optimizer: sgd({ rate: 0.05 }), factors: 8 }), { as: 'clicked', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function factorizationMachine(options: FactorizationMachineOptions): Learner<boolean, number, PairCells> {
  const where = 'factorizationMachine';
  return Object.freeze<Learner<boolean, number, PairCells>>({
    kind: 'factorization-machine',
    settings: Object.freeze({ ...linearSettings(where, options), ...pairSettings(where, options) }),
    output: 'probability',
    structure: structureOf(options),
    cells: (shape: FeatureShape) => pairCells(options, shape),
    open: (cells, shape) => logistic(openPairs(cells, shape, options)),
  });
}

/**
 * Factorization machine for numbers: linear regression with a term for each pair of features. See `factorizationMachine`.
 *
 * @example learn(factorizationMachineRegression({ optimizer: sgd({ rate: 0.01 }), factors: 8 }), { as: 'stars', ... });
 * @throws MillraceError `config` where an option is out of range
 */
export function factorizationMachineRegression(
  options: FactorizationMachineRegressionOptions,
): Learner<number, number, PairCells> {
  const where = 'factorizationMachineRegression';
  return Object.freeze<Learner<number, number, PairCells>>({
    kind: 'factorization-machine-regression',
    settings: Object.freeze({ ...regressionSettings(where, options), ...pairSettings(where, options) }),
    output: 'number',
    structure: structureOf(options),
    cells: (shape: FeatureShape) => pairCells(options, shape),
    open: (cells, shape) => regression(openPairs(cells, shape, options), options),
  });
}
