export { type AlertRule, alertMeasures } from './alert.js';
export { check, type TopologyProblem } from './check.js';
export { deferralIn, deliveryOf, deliveryOn, ROWS_MAX, sinkAsWritten } from './delivery.js';
export { describe } from './describe.js';
export { hasState, layoutHash, layoutOf, stateSettingsOf, topologyHash } from './hash.js';
export { mermaid } from './mermaid.js';
export { mustFit } from './must-fit.js';
export {
  type CellPlan,
  isRefused,
  needsAcceptance,
  type PlannedTask,
  type PlanOptions,
  planState,
  readerIn,
  type SinkPlan,
  type SourcePlan,
  type StateAction,
  type StatePlan,
  type Unfinished,
} from './plan.js';
export { planText } from './plan-text.js';
export { furthestIn, type RescaledTask, type RescaleOptions, rescaleTasks } from './rescale.js';
export { internalTopic, subtopologiesOf } from './subtopologies.js';
export {
  isTopology,
  type RepartitionNode,
  type RepartitionOptions,
  type SinkNode,
  type SourceNode,
  type StepNode,
  type Stream,
  type Topology,
  type TopologyBuilder,
  type TopologyOptions,
  topology,
  type Wire,
} from './topology.js';
export { downstreamOf, globalNodes, upstreamOf } from './upstream.js';
export { inputName } from './wires.js';
