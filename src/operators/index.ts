export type { LocalProvider, Provider, ProviderOptions, RemoteOptions } from '../core/inference.js';
export { type DedupeOptions, dedupe } from './basic/dedupe.js';
export { type DetectInactivityOptions, detectInactivity, type Presence } from './basic/detect-inactivity.js';
export { filter } from './basic/filter.js';
export { flatMap } from './basic/flat-map.js';
export { type LookupOptions, lookup, type OnFailure, type OnMissing } from './basic/lookup.js';
export { map } from './basic/map.js';
export { merge } from './basic/merge.js';
export { peek } from './basic/peek.js';
export { route } from './basic/route.js';
export { type ThrottleOptions, throttle } from './basic/throttle.js';
export { type DecodeImageOptions, decodeImage } from './image/decode-image.js';
export { innerJoin, type JoinOptions, leftJoin, outerJoin } from './join/join.js';
export { type JoinTableOptions, joinTable, leftJoinTable } from './join/join-table.js';
export { innerJoinTables, type JoinTablesOptions, leftJoinTables, outerJoinTables } from './join/join-tables.js';
export { type AssignedCluster, assignCluster } from './ml/assign-cluster.js';
export {
  type CompareDistributionsOptions,
  compareDistributions,
  type DistributionRow,
} from './ml/compare-distributions.js';
export {
  type Anomaly,
  type AnomalyScore,
  type DetectAnomaliesOptions,
  detectAnomalies,
} from './ml/detect-anomalies.js';
export { type DetectDriftOptions, type DriftEvent, detectDrift } from './ml/detect-drift.js';
export {
  type EstimatePerformanceOptions,
  estimatePerformance,
  type PerformanceRow,
} from './ml/estimate-performance.js';
export { type EvaluateOptions, type EvaluationRow, evaluate } from './ml/evaluate.js';
export { featureRows } from './ml/feature-rows.js';
export { featurize } from './ml/featurize.js';
export { type Cascade, type FallbackRule, type InferOptions, type Inferred, infer } from './ml/infer.js';
export type {
  InferOutputsOptions,
  InferredOutput,
  InferredOutputs,
  InferTensorsOptions,
  OutputDeclaration,
} from './ml/infer-outputs.js';
export type { InferredVector, InferVectorsOptions } from './ml/infer-vectors.js';
export type { LastScore } from './ml/last-scores.js';
export { type LearnOptions, learn } from './ml/learn.js';
export type { LabelOptions } from './ml/learn-from-labels.js';
export type { LearnDrift, LearnDriftOptions, ModelDriftRow } from './ml/learn-with-drift.js';
export type { Learned, LearnedClass, LearnedNumber } from './ml/learned.js';
export type { FallbackModel, ModelOptions } from './ml/model-options.js';
export type { ScaleRule } from './ml/scalers.js';
export type { ScoreThenLearnOptions } from './ml/score-then-learn.js';
export {
  type EliminationRow,
  eliminationColumns,
  type SelectBySuccessiveHalvingOptions,
  type Selected,
  selectBySuccessiveHalving,
} from './ml/select-by-successive-halving.js';
export { type ScaleRules, standardize } from './ml/standardize.js';
export { type MatchOptions, type MatchSpan, match } from './pattern/match.js';
export { type Loop, type Optional, type Pattern, type Stage, startsWith } from './pattern/pattern.js';
export type { Skip } from './pattern/skip.js';
export type { BandRule } from './quality/bands.js';
export { type ClipOptions, type ClipRule, type ClipRules, clip } from './quality/clip.js';
export { type Expectations, expectations } from './quality/expectations.js';
export { type ImputeRules, impute } from './quality/impute.js';
export type { ImputeRule } from './quality/imputers/impute-rules.js';
export { type QuarantineOptions, quarantine } from './quality/quarantine.js';
export { type RepairRow, repair, repairColumns } from './quality/repair.js';
export {
  type Conversion,
  type RangeOptions,
  type Repairs,
  repairs,
  type SpellingOptions,
  type UnitOptions,
} from './quality/repairs.js';
export type { ReferenceOptions, UniqueOptions } from './quality/rules/remembering-rules.js';
export type { Severity } from './quality/rules/rules.js';
export { validate } from './quality/validate.js';
export {
  type ValidateWindowsOptions,
  validateWindows,
  verdictColumns,
  type WindowVerdict,
} from './quality/validate-windows.js';
export { type WindowExpectations, type WindowSeverity, windowExpectations } from './quality/window-expectations.js';
export { type SampleOptions, sample } from './sampling/sample.js';
export { type SampleWindowsOptions, sampleWindows } from './sampling/sample-windows.js';
export { type StratifyOptions, stratify } from './sampling/stratify.js';
export { type UndersampleOptions, undersample } from './sampling/undersample.js';
export { type DebeziumEvent, fromDebezium } from './table/from-debezium.js';
export { type TableOptions, table } from './table/table.js';
export { type CleanTextOptions, type CleanTextRules, cleanText } from './text/clean-text.js';
export { type DetectLanguageOptions, detectLanguage } from './text/detect-language.js';
export { type EncodedTokens, type EncodeTokensOptions, encodeTokens } from './text/encode-tokens.js';
export { type MarkPiiOptions, type Masking, type MaskPiiOptions, maskPii, type PiiCounts } from './text/mask-pii.js';
export type { PiiKind } from './text/pii/kinds.js';
export { type SplitWordsOptions, splitWords } from './text/split-words.js';
export type { Emitted, WindowOptions, WindowRow } from './window/engine/options.js';
export { splitLate } from './window/split-late.js';
export { type ChangesOptions, window, windowOfChanges } from './window/window.js';
