import { transform } from '../../core/define.js';
import { MillraceError } from '../../core/errors.js';
import type { FeatureVector } from '../../core/learner.js';
import type { Operator } from '../../core/operator.js';
import { openRows } from '../../ml/features/feature-row.js';
import type { EntityOf, FeatureRow, FeatureView } from '../../ml/features/index.js';

/**
 * Turns records with `features` into rows of a feature store: entity, event time, the named features and a digest. What
 * the stream learns from and what a training set is exported from are then one computation.
 *
 * @example
 * const rows = departed
 *   .via('features', { outcomes: arrived }, featurize(flightFeatures))
 *   .via('feature-rows', featureRows(flightFeatures));
 *
 * Stateless. A record whose features are of another version of the view is a typed error: it would be stored under a
 * wrong name.
 * @throws MillraceError `config` for a view without an entity
 */
export function featureRows<Row>(
  view: FeatureView & EntityOf<Row>,
): Operator<Row & { readonly features: FeatureVector }, FeatureRow> {
  const { name, hash, entity, entityOf } = view;
  if (entityOf === undefined)
    throw new MillraceError('config', 'a view without an entity cannot be stored', {
      where: name,
      hint: "give the entity of its rows: entity: { name: 'flight', key: (f) => f.flightId }",
    });
  return transform<Row & { readonly features: FeatureVector }, FeatureRow>({
    kind: 'featureRows',
    settings: { view: name, hash, entity: entity ?? '' },
    open: (context) => {
      const rowOf = openRows(view);
      return (value, emit, { eventTimeMs }) => {
        const { features } = value;
        if (features.hash !== hash)
          context.fail(`features of ${features.view} (${features.hash}), not of ${name} (${hash})`);
        emit(rowOf(entityOf(value), eventTimeMs, features));
      };
    },
  });
}
