// What users test their topologies, operators and learners with, and connectors of their own. Nothing else in src imports it.

export type { ContractCheck } from './contract.js';
export type { FakeStore } from './fake-store.js';
export { type FaultySink, type Refusal, type SinkFaultWorld, sinkFaults } from './fault-contract.js';
export type { Expected, FaultName, Outcome } from './fault-list.js';
export { type Fault, FaultProxy, type Traffic, type Way } from './fault-proxy.js';
export { type LedgerWorld, ledgerContract } from './ledger-contract.js';
export { MemoryProfile, type Written } from './memory-profile.js';
export * as sim from './sim/index.js';
export { type SinkWorld, sinkContract } from './sink-contract.js';
export { type SourceWorld, sourceContract } from './source-contract.js';
export { type SourceFaultWorld, sourceFaults } from './source-fault-contract.js';
export { type SeenDeadLetter, TopologyTest, type TopologyTestOptions } from './topology-test.js';
export { VirtualClock } from './virtual-clock.js';
