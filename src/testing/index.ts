// What users test their topologies, operators and learners with. Nothing else in src imports it.

export type { FakeStore } from './fake-store.js';
export { MemoryProfile, type Written } from './memory-profile.js';
export * as sim from './sim/index.js';
export { type SeenDeadLetter, TopologyTest, type TopologyTestOptions } from './topology-test.js';
export { VirtualClock } from './virtual-clock.js';
