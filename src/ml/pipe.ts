import type { FeatureNumbers, FeatureShape, Learner, Transformer, TransformerLogic } from '../core/learner.js';
import type { Cell, CellSpecs } from '../core/state.js';
import { cellsOfPart, cellsOfParts, revisionOfParts, settingsOfParts } from './parts.js';

/** What `pipe` is given: transformers, then a learner. */
export type PipeParts<L> = readonly [...Transformer[], L];

/**
 * A learner behind transformers: each changes the features for those after it. The pipe is a learner itself.
 *
 * Guarantees: a prediction changes nothing, in no part. Learning lets each transformer take in the row, then gives it to the
 * next part as it is by then. A row that any part refuses changes none of them.
 * Memory: that of its parts.
 *
 * @example
 * learn(pipe(standardScaler(), logisticRegression({ optimizer: sgd({ rate: 0.05 }) })), { as: 'late', ... });
 */
export function pipe<Y, P>(...parts: PipeParts<Learner<Y, P>>): Learner<Y, P> {
  const transformers = parts.slice(0, -1) as Transformer[];
  const learner = parts.at(-1) as Learner<Y, P>;
  /** The shape that each part gets: a transformer may give another than it got. */
  const shapesOf = (shape: FeatureShape): FeatureShape[] => {
    const shapes = [shape];
    for (const { shapeOf } of transformers) {
      const last = shapes.at(-1) as FeatureShape;
      shapes.push(shapeOf ? shapeOf(last) : last);
    }
    return shapes;
  };
  const { missing = 'refused' } = learner;
  return Object.freeze({
    kind: `pipe(${[...transformers, learner].map(({ kind }) => kind).join(', ')})`,
    settings: Object.freeze({
      ...settingsOfParts(transformers.map(({ kind, settings }) => [kind, settings])),
      ...learner.settings,
    }),
    structure: Object.freeze({
      ...settingsOfParts(transformers.map(({ kind, structure }) => [kind, structure])),
      ...learner.structure,
    }),
    revision: revisionOfParts(parts),
    output: learner.output,
    ...(learner.classes ? { classes: learner.classes } : {}),
    ...(learner.warmUp === undefined ? {} : { warmUp: learner.warmUp }),
    missing: transformers.length === 0 ? missing : 'refused',
    cells(shape: FeatureShape): CellSpecs {
      const shapes = shapesOf(shape);
      return cellsOfParts(parts.map((part, i) => part.cells(shapes[i] as FeatureShape)));
    },
    open(cells: Readonly<Record<string, Cell>>, shape: FeatureShape) {
      const shapes = shapesOf(shape);
      const open = transformers.map((part, i) => part.open(cellsOfPart(cells, i), shapes[i] as FeatureShape));
      const last = learner.open(cellsOfPart(cells, transformers.length), shapes.at(-1) as FeatureShape);
      return {
        predictOne(features: FeatureNumbers): P {
          let seen = features;
          for (let i = 0; i < open.length; i++) seen = (open[i] as TransformerLogic).transformOne(seen);
          return last.predictOne(seen);
        },
        learnOne(features: FeatureNumbers, label: Y, weight = 1) {
          let seen = features;
          for (let i = 0; i < open.length; i++) {
            const staged = (open[i] as TransformerLogic).stageOne(seen, weight);
            if (typeof staged === 'string') return staged;
            seen = staged;
          }
          const result = last.learnOne(seen, label, weight);
          if (result === 'learnt') for (let i = 0; i < open.length; i++) (open[i] as TransformerLogic).commit();
          return result;
        },
        refresh() {
          for (const part of open) part.refresh?.();
          last.refresh?.();
        },
      };
    },
  });
}
