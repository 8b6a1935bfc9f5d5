import { type Accumulator, type Aggregates, accumulatorOf } from '../../../aggregates/accumulator.js';
import { BEFORE_ALL_MS, type CellSpecs, type OpenCells, type StepContext } from '../../../core/index.js';
import { layoutVersion } from '../../../ml/features/plan.js';
import { ALL_TIMERS, mapCell, paneCell, rescale, timerCell, valueCell } from '../../../state/index.js';
import type { CountingSpec, SessionSpec, SlicedSpec, SlidingSpec } from '../spec.js';
import { CountingWindows, type Unfinished } from './counting-windows.js';
import type { Row, WindowEngine, WindowKey } from './engine.js';
import type { WindowPlan } from './options.js';
import { type KeySessions, SessionWindows } from './session-windows.js';
import { SlicedChanges } from './sliced-changes.js';
import { SlicedRows } from './sliced-rows.js';
import { slicesOf } from './slices.js';
import { type Moment, SlidingWindows } from './sliding-windows.js';

/** A kind of windows ready to run: its cells, and what runs on them. */
export interface WindowMachine<In> {
  readonly cells: CellSpecs;
  open(cells: OpenCells<CellSpecs>, context: StepContext): WindowEngine<In>;
}

/** Slices that may be open beyond twice those of a window and its lateness. */
const SLICES_SPARE = 10_000;

/**
 * Chooses the machine for a plan. The layout of state follows from windows and aggregates: its version does too, so that
 * state of others is refused and never misread.
 */
export function machineOf<In>(plan: WindowPlan): WindowMachine<In> {
  const { window } = plan;
  const accumulator = accumulatorOf<In>(plan.aggregate as Aggregates<In>, { counted: plan.ofChanges });
  switch (window.kind) {
    case 'tumbling':
    case 'hopping':
      return slicedMachine(plan, window, accumulator);
    case 'session':
      return sessionMachine(plan, window, accumulator);
    case 'sliding':
      return slidingMachine(plan, window, accumulator);
    case 'counting':
      return countingMachine(plan, window, accumulator);
  }
}

function slicedMachine<In>(plan: WindowPlan, window: SlicedSpec, accumulator: Accumulator<In>): WindowMachine<In> {
  const { emit, allowedLateness: latenessMs, keysMax } = plan;
  const slices = slicesOf(window);
  const version = layoutVersion([window, accumulator.layout]);
  const { numbers, values } = accumulator;
  const base = {
    panes: rescale.byKey(paneCell<WindowKey>({ version, numbers, values })),
    // What one task has closed and another has not: of tumbling windows it holds nothing any more, of hopping ones a part.
    closed: rescale.merged(
      valueCell({ initial: BEFORE_ALL_MS }),
      slices.perWindow === 1 ? rescale.lowest : rescale.sameInAll,
    ),
  };
  const slicesMax = 2 * (slices.perWindow + Math.ceil(latenessMs / slices.sliceMs)) + SLICES_SPARE;
  const parts = { slices, accumulator, keysMax, slicesMax, latenessMs };
  if (emit.kind === 'early') {
    const specs = {
      ...base,
      told: mapCell<string, [WindowKey, number, Row | null, boolean]>({ version }),
      due: timerCell<string>({ timersMax: ALL_TIMERS }),
    };
    return {
      cells: specs,
      open({ told, due, ...opened }: OpenCells<typeof specs>, { watermarkMs }) {
        const early = { everyMs: emit.every, told, due };
        return new SlicedChanges({ ...parts, ...opened, watermarkMs, overMs: watermarkMs - latenessMs, early });
      },
    };
  }
  return {
    cells: base,
    open(opened: OpenCells<typeof base>, { watermarkMs }) {
      const overMs = watermarkMs - latenessMs;
      if (emit.kind === 'on-close') return new SlicedRows({ ...parts, ...opened, overMs });
      return new SlicedChanges({ ...parts, ...opened, watermarkMs, overMs, early: undefined });
    },
  };
}

function sessionMachine<In>(plan: WindowPlan, window: SessionSpec, accumulator: Accumulator<In>): WindowMachine<In> {
  const { emit, allowedLateness: latenessMs, keysMax } = plan;
  const gapMs = window.gap;
  const specs = {
    sessions: rescale.byKey(
      mapCell<WindowKey, KeySessions>({ version: layoutVersion([window, emit, accumulator.layout]) }),
    ),
    due: rescale.byKey(timerCell<WindowKey>({ timersMax: ALL_TIMERS })),
  };
  const tells = emit.kind === 'on-close' ? 'rows' : emit.kind === 'early' ? emit.every : 'at-once';
  return {
    cells: specs,
    open(opened: OpenCells<typeof specs>, { watermarkMs }) {
      return new SessionWindows({ ...opened, gapMs, accumulator, keysMax, latenessMs, watermarkMs, tells });
    },
  };
}

function slidingMachine<In>(plan: WindowPlan, window: SlidingSpec, accumulator: Accumulator<In>): WindowMachine<In> {
  const { allowedLateness: latenessMs, keysMax } = plan;
  const sizeMs = window.size;
  const specs = {
    moments: rescale.byKey(mapCell<WindowKey, Moment[]>({ version: layoutVersion([window, accumulator.layout]) })),
    due: rescale.byKey(timerCell<WindowKey>({ timersMax: ALL_TIMERS })),
  };
  return {
    cells: specs,
    open(opened: OpenCells<typeof specs>, { watermarkMs }) {
      return new SlidingWindows({ ...opened, sizeMs, accumulator, keysMax, latenessMs, watermarkMs });
    },
  };
}

function countingMachine<In>(plan: WindowPlan, window: CountingSpec, accumulator: Accumulator<In>): WindowMachine<In> {
  const { keysMax } = plan;
  const { records } = window;
  const specs = {
    unfinished: rescale.byKey(mapCell<WindowKey, Unfinished>({ version: layoutVersion([window, accumulator.layout]) })),
  };
  return {
    cells: specs,
    open(opened: OpenCells<typeof specs>) {
      return new CountingWindows({ ...opened, records, accumulator, keysMax });
    },
  };
}
