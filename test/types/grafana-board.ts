import type { Dashboard, GraphFieldConfig, Panel, VizLegendOptions, VizTooltipOptions } from '@grafana/schema';
import { boardOf } from '../../src/server/alerts/grafana-board.js';

/** A type of Grafana as JSON has it: members of an enumeration by their values. */
type InJson<T> = T extends string
  ? `${T}`
  : T extends readonly (infer Item)[]
    ? readonly InJson<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: InJson<T[K]> }
      : T;

/** The options of a panel depend on its type: these are of `timeseries`. */
type TimeSeries = InJson<Omit<Panel<object, GraphFieldConfig>, 'options'>> & {
  readonly type: 'timeseries';
  readonly options: InJson<{ legend: VizLegendOptions; tooltip: VizTooltipOptions }>;
};

export const board: InJson<Omit<Dashboard, 'panels'>> & { readonly panels: readonly TimeSeries[] } = boardOf({
  name: 'orders',
  alerts: [],
});
