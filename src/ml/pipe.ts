import type { FeatureNumbers, FeatureShape, Learner, Transformer, TransformerLogic } from '../core/learner.js';
import type { Settings } from '../core/operator.js';
import type { Cell, CellSpecs } from '../core/state.js';

/** What `pipe` is given: transformers, then a learner. */
export type PipeParts<L> = readonly [...Transformer[], L];

const cellPrefix = (part: number): string => `${part}-`;

/** Settings of all parts, each under its kind. */
const merged = (parts: readonly { readonly kind: string; readonly settings?: Settings }[]): Settings =>
  Object.fromEntries(
    parts.flatMap(({ kind, settings = {} }) =>
      Object.entries(settings).map(([name, value]) => [`${kind}.${name}`, value]),
    ),
  );

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
    settings: Object.freeze({ ...merged(transformers), ...learner.settings }),
    structure: Object.freeze({
      ...merged(transformers.map(({ kind, structure = {} }) => ({ kind, settings: structure }))),
      ...learner.structure,
    }),
    // Each revision only rises, so no two states of the parts have one sum.
    revision: parts.reduce((sum, { revision = 1 }) => sum + revision, 0),
    output: learner.output,
    ...(learner.classes ? { classes: learner.classes } : {}),
    ...(learner.warmUp === undefined ? {} : { warmUp: learner.warmUp }),
    missing: transformers.length === 0 ? missing : 'refused',
    cells(shape: FeatureShape): CellSpecs {
      const shapes = shapesOf(shape);
      return Object.fromEntries(
        parts.flatMap((part, i) =>
          Object.entries(part.cells(shapes[i] as FeatureShape)).map(([name, spec]) => [cellPrefix(i) + name, spec]),
        ),
      );
    },
    open(cells: Readonly<Record<string, Cell>>, shape: FeatureShape) {
      const shapes = shapesOf(shape);
      const cellsOf = (part: number): Record<string, Cell> =>
        Object.fromEntries(
          Object.entries(cells)
            .filter(([name]) => name.startsWith(cellPrefix(part)))
            .map(([name, cell]) => [name.slice(cellPrefix(part).length), cell]),
        );
      const open = transformers.map((part, i) => part.open(cellsOf(i), shapes[i] as FeatureShape));
      const last = learner.open(cellsOf(transformers.length), shapes.at(-1) as FeatureShape);
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
