// Generated from the interfaces of the options: `npx vitest run --project unit test/docs -u` writes it anew.

/** The options of each operator, and those of objects in them. */
export const optionNames: Readonly<Record<string, string>> = {
  dedupe: 'key retention keysMax',
  detectInactivity: 'key inactivityTimeout processingTimeInterval keysMax',
  lookup:
    'from key as batchMax waitMax concurrencyMax perSecondMax timeout attemptsMax cache cache.entriesMax cache.ttl cache.missingTtl onMissing onFailure',
  throttle: 'key records per burst excess keysMax',
  decodeImage: 'from as width height fit colour layout mean std bytesMax pixelsMax concurrencyMax inFlightMax',
  innerJoin: 'keys keys.left keys.right within within.before within.after allowedLateness entriesMax combine',
  leftJoin: 'keys keys.left keys.right within within.before within.after allowedLateness entriesMax combine',
  outerJoin: 'keys keys.left keys.right within within.before within.after allowedLateness entriesMax combine',
  joinTable: 'key allowedLateness keysMax pendingMax combine',
  leftJoinTable: 'key allowedLateness keysMax pendingMax combine',
  innerJoinTables: 'keysMax combine',
  leftJoinTables: 'keysMax combine',
  outerJoinTables: 'keysMax combine',
  assignCluster: 'as view metricsInterval versionEveryRecords replayMax',
  compareDistributions:
    'features every reference reference.first reference.last reference.rows slices slicesMax by by.numbers by.categories rowsMin',
  detectAnomalies: 'learnBelowQuantile as view metricsInterval versionEveryRecords replayMax',
  detectDrift: 'of detector key keysMax',
  estimatePerformance:
    'prediction prediction.key prediction.value label label.key label.value wait every pendingMax threshold calibrator detector distrustLabels',
  evaluate:
    'prediction prediction.key prediction.value prediction.weight prediction.version label label.key label.value wait correctable missing missing.label metrics slices slicesMax versionsMax sums measured every pendingMax',
  infer:
    'inputs outputs lengths model as batchMax waitMax providers fallback fallback[].model fallback[].providers fallback[].name fallback[].lastBy fallback[].keysMax fallback[].rule weight queueMax pinned cacheBytesMax tier deadline lagMax view output pooling pooling.mean normalize cascade cascade.model cascade.providers cascade.below cascade.above',
  learn:
    'drift drift.detector drift.act drift.of drift.compareLabels as view key label label.key label.value label.weight label.wait label.late label.late.within label.late.act label.missing label.missing.label label.missing.weighting label.corrections label.corrections.within label.corrections.learn pendingMax baselines metricsInterval versionEveryLabels replayMax by by.key by.modelsMax',
  selectBySuccessiveHalving:
    'rungLabels as view key label label.key label.value label.weight label.wait label.late label.late.within label.late.act label.missing label.missing.label label.missing.weighting label.corrections label.corrections.within label.corrections.learn pendingMax baselines metricsInterval versionEveryLabels replayMax',
  match: 'key pattern within skip select timedOut runsMax runsPerKeyMax pendingMax',
  clip: 'mark',
  quarantine: 'key keysMax',
  validateWindows: 'window expect key keysMax allowedLateness late',
  sample: 'key rate seed',
  sampleWindows: 'window size key by groupsMax seed',
  stratify: 'stratum key rates otherwise quota quota.records quota.every strataMax seed',
  undersample: 'class shares key as seed',
  table: 'keysMax',
  cleanText: 'html form lowerCase charsMax',
  detectLanguage: 'from as languages charsMax',
  encodeTokens: 'from as tokenizer lengths specialTokens padToken charsMax',
  maskPii: 'fields find findingsMax key mark',
  splitWords: 'from as locale ngrams wordsMax',
  window: 'key window aggregate emit allowedLateness late keysMax',
  windowOfChanges: 'eventTime key window aggregate emit allowedLateness late keysMax',
};
