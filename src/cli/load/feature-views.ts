import { formatDuration } from '../../core/duration.js';
import { isFeatureView } from '../../ml/features/feature-view.js';
import type { FeatureView } from '../../ml/features/index.js';
import type { Wanted } from './load-exported.js';

/** Feature views among the exports of a file. */
export const views: Wanted<FeatureView> = {
  one: 'feature view',
  many: 'feature views',
  is: isFeatureView,
  hint: "export const mine = featureView({ name: 'mine', version: 1, columns, features })",
};

/** What people ask of a view: who keeps it, what it is about, how large it is and which definition it is. */
export interface ViewSummary {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly entity: string | null;
  readonly ttl: string | null;
  readonly owner: string | null;
  readonly description: string | null;
  readonly dense: readonly string[];
  readonly hashed: readonly string[];
  readonly hashedSize: number;
}

export const summaryOf = (view: FeatureView): ViewSummary => ({
  name: view.name,
  version: view.version,
  hash: view.hash,
  entity: view.entity ?? null,
  ttl: view.ttl === undefined ? null : formatDuration(view.ttl),
  owner: view.owner ?? null,
  description: view.description ?? null,
  dense: view.denseNames,
  hashed: view.hashedNames,
  hashedSize: view.shape.hashedSize,
});

export function summaryText(view: ViewSummary): string {
  const line = (name: string, value: string | number | null) =>
    value === null ? '' : `  ${name.padEnd(12)}${value}\n`;
  return [
    `${view.name}, version ${view.version}\n`,
    line('about', view.description),
    line('entity', view.entity),
    line('owner', view.owner),
    line('ttl', view.ttl),
    line('hash', view.hash),
    line('dense', `${view.dense.length}: ${view.dense.join(', ')}`),
    line('hashed', `${view.hashed.length} in ${view.hashedSize} coordinates: ${view.hashed.join(', ')}`),
  ].join('');
}
