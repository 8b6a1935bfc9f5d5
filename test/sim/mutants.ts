/** A deliberate fault of the runtime: texts of its files that stand there exactly once, and what takes their place. */
export interface Mutant {
  readonly name: string;
  /** The scenario in which it is looked for. */
  readonly scenario: string;
  readonly patches: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

const mutant = (name: string, scenario: string, ...patches: [file: string, from: string, to: string][]): Mutant => ({
  name,
  scenario,
  patches: patches.map(([file, from, to]) => ({ file, from, to })),
});

export const mutants: readonly Mutant[] = [
  mutant('the position of what was read ahead instead of what was merged', 'copies', [
    'input.ts',
    'const { mergedPosition, reader } = this;',
    'const { reader } = this; const last = this.origins.length - 1; const mergedPosition = last < 0 ? this.mergedPosition : this.positionAfter(last);',
  ]),
  mutant('the position of the last record instead of the next', 'copies', [
    'input.ts',
    'offset: (this.origins[index] as Origin).offset + 1,',
    'offset: (this.origins[index] as Origin).offset,',
  ]),
  mutant('positions not fixed after a round', 'totals', [
    'merge.ts',
    'for (const input of inputs) input.settle();',
    '',
  ]),
  mutant('the drain skipped', 'scores', ['task.ts', 'await this.pipeline.drain();', '']),
  mutant(
    'changes taken before the drain',
    'scores',
    [
      'task.ts',
      'await this.pipeline.drain();',
      'const early = this.state.takeChanges();\n    await this.pipeline.drain();',
    ],
    ['task.ts', 'const changes = this.state.takeChanges(this.pipeline.busyMs, isLast);', 'const changes = early;'],
  ),
  mutant(
    'the checkpoint stored before sinks are prepared',
    'copies',
    ['task.ts', '[step, await writer.prepare?.()] as const', '[step, writer.commit && undefined] as const'],
    [
      'task.ts',
      'await Promise.all(writers.map(([, writer]) => writer.commit?.()));',
      'await Promise.all(writers.map(([, writer]) => writer.prepare?.()));',
    ],
  ),
  mutant('counters outside the checkpoint', 'copies', [
    'task-state.ts',
    "this.restore(COUNTERS_STEP, 'counters', this.counters);",
    '',
  ]),
  mutant('inputs merged as they arrive', 'totals', [
    'merge.ts',
    'if (!hasHead && (input.ended || input.isIdle)) continue;',
    'if (!hasHead) continue;',
  ]),
  mutant('ties of the merge broken the other way', 'totals', [
    'merge.ts',
    'timeMs < bestTimeMs',
    'timeMs <= bestTimeMs',
  ]),
  mutant('inputs of a step taken one after another', 'totals', [
    'steps.ts',
    'if ((numbers[i] as number) < (numbers[best] as number)) best = i;',
    'if (numbers[best] === Number.POSITIVE_INFINITY) best = i;',
  ]),
  mutant('the merge time forgotten by the restore', 'totals', [
    'input.ts',
    'eventClock(position.mergeTimeMs)',
    'eventClock()',
  ]),
  mutant('a doubtful time forgotten by the restore', 'joins', [
    'input.ts',
    '{ ...(position.clock ?? eventClock(position.mergeTimeMs)) }',
    'eventClock(position.mergeTimeMs)',
  ]),
  mutant(
    'a watermark that falls',
    'totals',
    ['merge.ts', 'isTentative(input) ? BEFORE_ALL_MS : input.headTimeMs - time.disorderMs;', 'origin.eventTimeMs;'],
    ['merge.ts', 'if (watermarkMs > time.watermarkMs) {', 'if (watermarkMs !== time.watermarkMs) {'],
  ),
  mutant('credits never returned', 'copies', ['in-flight.ts', 'this.records -= records;', '']),
  mutant('credits returned twice', 'copies', [
    'in-flight.ts',
    'this.records -= records;',
    'this.records -= 2 * records;',
  ]),
  mutant('credits not asked for', 'copies', [
    'task.ts',
    'this.pipeline.credit(inFlightMax, allowance.inFlight)',
    'Promise.resolve()',
  ]),
  mutant(
    'asynchronous answers taken as they come',
    'scores',
    ['pipeline.ts', 'concatMap((running) => running),', 'mergeMap((running) => running),'],
    ['pipeline.ts', 'import { concatMap, from,', 'import { concatMap, mergeMap, from,'],
  ),
  mutant(
    'two writes to a sink at a time',
    'copies',
    ['pipeline.ts', 'concatMap((chunk) => {', 'mergeMap((chunk) => {'],
    ['pipeline.ts', 'import { concatMap, from,', 'import { concatMap, mergeMap, from,'],
  ),
  mutant('rows of an nondeterministic order written before the checkpoint', 'quiet', [
    'sinks.ts',
    'const { rowsMax, bytesMax } = deferralOf(sink) ?? {};',
    'const { rowsMax, bytesMax } = (deferralOf, sink.deferred ?? {});',
  ]),
  mutant('an answer by chance taken for one that a replay repeats', 'quiet', [
    '../topology/delivery.ts',
    "shape.shape === 'batched' && shape.nondeterministic === true",
    'shape === undefined',
  ]),
  mutant('the end of time reached before the checkpoint has it', 'drains', [
    'end-of-run.ts',
    'if (isLast && !this.final) return false;',
    'if (isLast) return false;',
  ]),
  mutant('an end of an input that decides the order and no checkpoint', 'quiet', [
    'end-of-run.ts',
    'if (isLast && !this.final) return false;',
    'return false;',
  ]),
  mutant('an ended input read on by the run that completes another', 'quiet', [
    'open-inputs.ts',
    'input.ended = end.hadEnded(key);',
    '',
  ]),
  mutant('the end of time named by the clock', 'drains', ['end-of-run.ts', 'this.ends += 1;', 'this.ends = nowMs;']),
  mutant('rows owed to a sink not restored', 'copies', ['sinks.ts', 'await later.recover();', '']),
  mutant('rows given to a sink before the checkpoint that keeps them', 'copies', [
    'task.ts',
    'const committables = prepared.filter(([, committable]) => committable !== undefined);',
    'const committables = prepared.filter(([, committable]) => committable !== undefined);\n    for (const later of this.deferred) later.takeChanges();\n    for (const later of this.deferred) await later.commit();',
  ]),
  mutant('dead letters of asynchronous rounds as they come', 'scores', [
    'steps.ts',
    'if (answer instanceof RowFailure) failures.push({ failure: answer, origin });',
    'if (answer instanceof RowFailure) {\n      context.origin = origin;\n      context.deadLetter(answer.reason, answer.detail);\n    }',
  ]),
  mutant('state not restored', 'learning', [
    'task-state.ts',
    'const cell = spec.open();\n      this.restore(step, name, cell);',
    'const cell = spec.open();',
  ]),
  mutant('the updates of a model not applied again', 'learning', [
    '../state/update-log-cell.ts',
    'this.covered.apply({',
    'if (bucket > 1) this.covered.apply({',
  ]),
  mutant('updates kept where a snapshot has taken their place', 'learning', [
    '../state/update-log-cell.ts',
    'return stored === 0 ? [] :',
    'return stored > 0 ? [] :',
  ]),
  mutant('a snapshot of a model without the updates that are still applied', 'learning', [
    '../state/update-log-cell.ts',
    'return this.writesSnapshot ? takeChanges(end) : [];',
    'const changes = takeChanges(end); return this.writesSnapshot ? changes : [];',
  ]),
  mutant('dead letters not waited for', 'scores', ['pipeline.ts', 'await this.lettersWritten();', '']),
  mutant('going on from memory after a failed commit', 'totals', [
    'task.ts',
    'this.ledger.commit(checkpoint, changes)',
    'this.ledger.commit(checkpoint, changes).catch(() => undefined)',
  ]),
  mutant('a refused write taken for a written one', 'copies', [
    'steps.ts',
    'return writer.write(values, origins)?.catch(named)',
    'return writer.write(values, origins)?.catch(() => undefined)',
  ]),
  mutant('a failed read taken for the end', 'copies', ['input.ts', 'this.failure = error;', 'this.reachedEnd = true;']),
  mutant('the last epoch not stored', 'copies', [
    'task.ts',
    'for (let epochs = 0; epochs < 2 && !this.abandoned; epochs++) await this.commitEpoch(true);',
    '',
  ]),
  mutant('a task that was not heard of yet is not waited for', 'transfers', [
    'watermark-markers.ts',
    'if (watermarkMs === undefined) return BEFORE_ALL_MS;',
    'if (watermarkMs === undefined) continue;',
  ]),
  mutant('marks forgotten by the restore', 'transfers', ['input.ts', 'this.markers = position.watermarkMarkers;', '']),
  mutant('records between sub-topologies merged by their own times', 'transfers', [
    'input.ts',
    'known && !this.node.source.hasWatermarkMarkers ?',
    'known ?',
  ]),
  mutant("the log's times taken for event times between sub-topologies", 'transfers', [
    'input.ts',
    'hasWatermarkMarkers ? internalEventTime(record) : eventTimeOf',
    'hasWatermarkMarkers ? record.timestampMs : eventTimeOf',
  ]),
  mutant('marks that promise what comes next', 'transfers', [
    'watermark-markers.ts',
    'writer.writeMarker?.({ ...task, watermarkMs, idle });',
    'writer.writeMarker?.({ ...task, watermarkMs: watermarkMs + 60, idle });',
  ]),
  mutant('a task that is idle says so and nobody hears it', 'transfers', [
    'watermark-markers.ts',
    '[task]: idle ? null : watermarkMs',
    '[task]: watermarkMs',
  ]),
  mutant('no marks', 'transfers', ['task.ts', 'this.markers.writeMarkers(this.time.watermarkMs);', '']),
  mutant('a mark passed over by the merge', 'transfers', [
    'merge.ts',
    'if (watermarkMs > time.watermarkMs) {',
    'if (value !== MARKER && watermarkMs > time.watermarkMs) {',
  ]),
  mutant('time told at the end of the round', 'windows', ['steps.ts', 'if (ticksLeft > 0) tickUpTo(own.order);', '']),
  mutant('time told before its record', 'windows', [
    'steps.ts',
    'if (tick.origin.order >= order) return;',
    'if (tick.origin.order > order) return;',
  ]),
  mutant('the watermark forgotten by the restore', 'windows', [
    'merge.ts',
    'watermarkMs: Math.max(BEFORE_ALL_MS, mergeTimeMs - disorderMs)',
    'watermarkMs: BEFORE_ALL_MS',
  ]),
  mutant('results of a window at the time of the record that closed it', 'windows', [
    'steps.ts',
    'const of = eventTimeMs === undefined ? origin : { ...origin, eventTimeMs, key: null, raw: null, json: undefined };',
    'const of = origin;',
  ]),
  mutant('rows of the clock written before the checkpoint', 'clocked', [
    '../topology/delivery.ts',
    "shape.shape === 'stateful' && shape.processingTimeInterval !== undefined",
    'shape === undefined',
  ]),
  mutant('a clock that goes back with the next owner of a task', 'clocked', [
    'ticks.ts',
    'this.toldMs = decisions[CLOCK_DECISION] as number | undefined;',
    'this.toldMs = choices === undefined ? 0 : undefined;',
  ]),
  mutant('a tick of the clock outside the epoch', 'clocked', [
    'task.ts',
    'this.send(this.ticks.next(this.options.clock.now(), this.time.watermarkMs));',
    'this.pipeline.push(this.ticks.next(this.options.clock.now(), this.time.watermarkMs));\n    this.uncommittedSinceMs = undefined;',
  ]),
  mutant('a global source read from its start after each restore', 'rates', [
    'open-inputs.ts',
    'checkpoint.positions[key] ?? AT_THE_START',
    'source.global ? AT_THE_START : (checkpoint.positions[key] ?? AT_THE_START)',
  ]),
  mutant('one partition of a global source for each task', 'rates', [
    'open-inputs.ts',
    'partitionsRead(source, task.partition, partitions)',
    'partitionsRead({ global: false }, task.partition, partitions)',
  ]),
  mutant('what cannot be used told of by every task that reads it', 'rates', [
    'open-inputs.ts',
    'partition % tasks === task.partition',
    'tasks > 0',
  ]),
  mutant('what a join has met is not written down', 'joins', [
    '../operators/join/join.ts',
    'if (news) other.entries.set(key, partners);',
    '',
  ]),
  mutant('a change told late taken for the newest', 'joins', [
    '../operators/join/join-table.ts',
    'findLastIndex(([timeMs]) => timeMs <= eventTimeMs) + 1',
    'length',
  ]),
  mutant('a row that is gone forgotten', 'joins', [
    '../operators/join/join-table.ts',
    'if (goneMs !== undefined && goneMs < nowMs) gone.add(goneMs, of);',
    'if (goneMs !== undefined && goneMs < nowMs) versions.delete(of);',
  ]),
  mutant('timers that have fired fire again after a restore', 'joins', [
    '../state/timer-cell.ts',
    'else this.markDirty(leaf);\n      fire(key, timeMs);',
    'fire(key, timeMs);',
  ]),
  mutant('positions of sources that left are dropped', 'upgrades', ['task.ts', '...this.checkpoint.positions,', '']),
  mutant('what sinks that left have begun is dropped', 'upgrades', [
    'task.ts',
    '...ofRemoved, ...committables',
    '...committables',
  ]),
  mutant('sources and steps of the checkpoint are compared with nothing', 'upgrades', [
    '../topology/must-fit.ts',
    'mustHaveLayout(checkpoint, where, running);',
    '',
  ]),
  mutant('sources are not compared with those of the checkpoint', 'upgrades', [
    '../topology/hash.ts',
    'return [...sources.map(',
    'return [...sources.slice(0, 0).map(',
  ]),
  mutant('versions of state are not compared with those of the checkpoint', 'upgrades', [
    '../topology/hash.ts',
    '.map(([name, , version]) =>',
    '.map(([name]) => [name, 0]).map(([name, version]) =>',
  ]),
  mutant('any accepted plan counts, whatever its hash', 'upgrades', [
    'run-topology.ts',
    'options.acceptPlan === true || options.acceptPlan === hash',
    'options.acceptPlan !== undefined',
  ]),
  mutant('an accepted hash counts for nothing', 'upgrades', [
    'run-topology.ts',
    'options.acceptPlan === true || options.acceptPlan === hash',
    'options.acceptPlan === true',
  ]),
  mutant('checkpoints tell of the version that wrote the first one', 'upgrades', [
    'task.ts',
    'layout: layoutOf(topology),',
    'layout: this.checkpoint.layout ?? layoutOf(topology),',
  ]),
  mutant('a refusal that leaves out what changed', 'upgrades', [
    '../topology/must-fit.ts',
    'const list = changes.map(',
    'const list = changes.slice(1).map(',
  ]),
  mutant('time goes back where the source that was ahead has left', 'upgrades', [
    'merge.ts',
    '...Object.values(stored)',
    '',
  ]),
  mutant('state of a newer version is read as it stands', 'upgrades', [
    '../state/versions.ts',
    'if (from < own && migrate) return migrate;',
    'if (from < own && migrate) return migrate;\n  if (from > own) return undefined;',
  ]),
  mutant('a label that comes after its time is taken', 'evaluation', [
    '../ml/evaluation/label-store.ts',
    'timeMs > waiting[0] + lastMs',
    'timeMs > waiting[0] + 2 * lastMs',
  ]),
  mutant('a correction is not written down', 'evaluation', [
    '../ml/evaluation/label-store.ts',
    'else pending.set(key, waiting);',
    '',
  ]),
  mutant('what is assumed is not written down', 'evaluation', [
    '../ml/evaluation/label-store.ts',
    'missing.label, null);\n        pending.set(key, waiting);',
    'missing.label, null);',
  ]),
  mutant('a prediction that is forgotten with its wait', 'evaluation', [
    '../ml/evaluation/label-store.ts',
    'if (waiting[4] !== NONE) return;',
    'if (waiting[4] !== NONE) {\n          pending.delete(key);\n          return;\n        }',
  ]),
  mutant('a correction takes nothing back', 'evaluation', [
    '../ml/evaluation/slice-window.ts',
    'accumulator.retract(numbers, METRICS, states, 0, before, 0);',
    '',
  ]),
  mutant('what a step holds back misses the checkpoint', 'evaluation', [
    'task.ts',
    'this.pipeline.prepareCheckpoint();',
    '',
  ]),
  mutant('a row that was told is owed after a restore', 'evaluation', [
    '../ml/evaluation/slice-windows.ts',
    'windows.change(place) as SliceWindow;\n      window.numbers[DUE] = 0;',
    'windows.get(place) as SliceWindow;\n      window.numbers[DUE] = 0;',
  ]),
];
