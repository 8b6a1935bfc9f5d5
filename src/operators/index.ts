export { type BalanceOptions, balance } from './balance.js';
export type { BandRule } from './bands.js';
export { type CleanTextOptions, type CleanTextRules, cleanText } from './clean-text.js';
export { type ClipOptions, type ClipRule, type ClipRules, clip } from './clip.js';
export { type DecodeImageOptions, decodeImage } from './decode-image.js';
export { type DedupeOptions, dedupe } from './dedupe.js';
export { type DetectLanguageOptions, detectLanguage } from './detect-language.js';
export { divertLate } from './divert-late.js';
export { type Expectations, expectations } from './expectations.js';
export { featureRows } from './feature-rows.js';
export { featurize } from './featurize.js';
export { filter } from './filter.js';
export { flatMap } from './flat-map.js';
export { type DebeziumEvent, fromDebezium } from './from-debezium.js';
export { type ImputeRules, impute } from './impute.js';
export type { ImputeRule } from './impute-rules.js';
export { type InferOptions, type Inferred, infer } from './infer.js';
export type { InferredVector, InferVectorsOptions } from './infer-vectors.js';
export { innerJoin, type JoinOptions, leftJoin, outerJoin } from './join.js';
export { type JoinTableOptions, joinTable, leftJoinTable } from './join-table.js';
export { innerJoinTables, type JoinTablesOptions, leftJoinTables, outerJoinTables } from './join-tables.js';
export { type Learned, type LearnOptions, learn } from './learn.js';
export { type LookUpOptions, lookUp, type OnFailure, type OnMissing } from './look-up.js';
export { map } from './map.js';
export { type MarkPiiOptions, type Masking, type MaskPiiOptions, maskPii, type PiiCounts } from './mask-pii.js';
export { type MatchOptions, type MatchSpan, match } from './match.js';
export type { ModelOptions, Provider } from './model-options.js';
export { type Loop, type Optional, type Pattern, type Stage, startsWith } from './pattern/pattern.js';
export type { Skip } from './pattern/skip.js';
export { peek } from './peek.js';
export type { PiiKind } from './pii/kinds.js';
export { type QuarantineOptions, quarantine } from './quarantine.js';
export type { ReferenceOptions, UniqueOptions } from './remembering-rules.js';
export { type RepairRow, repair, repairColumns } from './repair.js';
export {
  type Conversion,
  type RangeOptions,
  type Repairs,
  repairs,
  type SpellingOptions,
  type UnitOptions,
} from './repairs.js';
export { route } from './route.js';
export type { Severity } from './rules.js';
export { type SampleOptions, sample } from './sample.js';
export { type SampleWindowsOptions, sampleWindows } from './sample-windows.js';
export type { ScaleRule } from './scalers.js';
export { type ScaleRules, standardize } from './standardize.js';
export { type StratifyOptions, stratify } from './stratify.js';
export { type TableOptions, table } from './table.js';
export { type ThrottleOptions, throttle } from './throttle.js';
export { type TokenIds, type TokenIdsOptions, tokenIds } from './token-ids.js';
export { type TokenizeOptions, tokenize } from './tokenize.js';
export { type Presence, type TrackPresenceOptions, trackPresence } from './track-presence.js';
export { validate } from './validate.js';
export {
  type ValidateWindowsOptions,
  validateWindows,
  verdictColumns,
  type WindowVerdict,
} from './validate-windows.js';
export { type Emission, early, onClose, onUpdate } from './window/emission.js';
export type { Emitted, WindowOptions, WindowRow } from './window/options.js';
export {
  type AlignmentOptions,
  counting,
  hopping,
  session,
  sliding,
  tumbling,
  type WindowSpec,
} from './window/spec.js';
export { type ChangesOptions, window, windowOfChanges } from './window.js';
export { type WindowExpectations, type WindowSeverity, windowExpectations } from './window-expectations.js';
