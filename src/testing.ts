// For tests of topologies, operators, learners and connectors. Nothing else in src imports it.

export { type AggregateSample, checkAggregate } from './testing/aggregate-contract.js';
export type { ContractCheck } from './testing/contract.js';
export { type FaultySink, type Refusal, type SinkFaultWorld, sinkFaults } from './testing/fault-contract.js';
export type { Expected, FaultName, Outcome } from './testing/fault-list.js';
export { type Fault, FaultProxy, type Traffic, type Way } from './testing/fault-proxy.js';
export { asJson, type HostileSinkWorld, hostileValues, hostileValuesContract } from './testing/hostile-values.js';
export {
  checkLearner,
  featureVector,
  type LearnerPromises,
  type LearnerRow,
  openLearner,
} from './testing/learner-contract.js';
export { type LedgerWorld, ledgerContract } from './testing/ledger-contract.js';
export { type LookupWorld, lookupContract } from './testing/lookup-contract.js';
export { type FakeStore, MemoryProfile, type Written } from './testing/memory-profile.js';
export {
  checkOperator,
  type Driven,
  type DrivenInput,
  type DrivenOutput,
  type DrivenTime,
  type Driving,
  driveOperator,
  type OperatorCheck,
} from './testing/operator-contract.js';
/** Runs whole topologies with simulated crashes, late answers and stale owners, by seed: see `simulate`. */
export * as sim from './testing/sim/index.js';
export { type SinkWorld, sinkContract } from './testing/sink-contract.js';
export { type SourceWorld, sourceContract } from './testing/source-contract.js';
export { type SourceFaultWorld, sourceFaults } from './testing/source-fault-contract.js';
export { type SeenDeadLetter, TopologyTest, type TopologyTestOptions } from './testing/topology-test.js';
export { VirtualClock } from './testing/virtual-clock.js';
