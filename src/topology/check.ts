import type { Settings } from '../core/operator.js';
import { oncePerMistake, unknownOptions } from '../core/options.js';
import type { Sink } from '../core/sink.js';
import { type AlertRule, alertMeasures } from './alert.js';
import { circularRepartitions, subtopologiesOf } from './subtopologies.js';
import type { Topology, Wire } from './topology.js';
import { globalNodes } from './upstream.js';
import { inputName, metricsName, outputsOf } from './wires.js';

/** One thing that is wrong with a topology, where it is, and what to do about it. */
export interface TopologyProblem {
  /** Id of the source, step or sink; the topology's name where the whole is meant. */
  readonly where: string;
  readonly message: string;
  readonly hint: string;
}

/**
 * Finds everything that is wrong with a topology, at once: an empty list means that it can run.
 *
 * Pure: opens nothing, so it sees neither brokers nor tables. Time and memory are linear in the number of nodes.
 *
 * @example
 * for (const { where, message, hint } of check(flightDelays)) report(`${where}: ${message}; ${hint}`);
 */
export function check(topology: Topology): TopologyProblem[] {
  return [
    ...nameProblems(topology),
    ...ownProblems(topology),
    ...duplicateIds(topology),
    ...emptinessProblems(topology),
    ...schemaProblems(topology),
    ...twiceRead(topology),
    ...wireProblems(topology),
    ...unconsumedStreams(topology),
    ...targetProblems(topology),
    ...loopProblems(topology),
    ...repartitionProblems(topology),
    ...globalProblems(topology),
    ...operatorProblems(topology),
    ...connectorProblems(topology),
    ...alertProblems(topology),
  ];
}

const wellFormed = /^(?!.*\.\.)[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;

function nameProblems(topology: Topology): TopologyProblem[] {
  return [topology.name, ...new Set(idsOf(topology))]
    .filter((name) => !wellFormed.test(name))
    .map((name) => {
      const hint = name.startsWith('$')
        ? 'names that begin with $ are reserved: choose another'
        : 'use 1 to 64 of a-z, 0-9, ".", "_" and "-", a letter or digit at both ends, no two dots in a row: names become parts of topics and keys';
      return { where: name, message: `the name "${name}" is malformed`, hint };
    });
}

const ownProblems = ({ name, problems = [] }: Topology): TopologyProblem[] =>
  problems.map(({ message, hint }) => ({ where: name, message, hint }));

function duplicateIds(topology: Topology): TopologyProblem[] {
  const counts = countBy(idsOf(topology));
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([id, count]) => ({
      where: id,
      message: `the id "${id}" is used ${count} times`,
      hint: 'state and offsets are stored by id: give every source, step and sink a unique id',
    }));
}

function emptinessProblems({ name, sources, sinks }: Topology): TopologyProblem[] {
  const problems: TopologyProblem[] = [];
  if (sources.length === 0) {
    problems.push({ where: name, message: 'no source', hint: "start with t.source('id', kafka.source({ ... }))" });
  }
  if (sinks.length === 0) {
    problems.push({ where: name, message: 'no sink', hint: "end a stream with .to('id', kafka.sink({ ... }))" });
  }
  return problems;
}

function schemaProblems({ sources, repartitions }: Topology): TopologyProblem[] {
  // Typed code cannot leave it out, JavaScript and casts can.
  const hint = 'pass `schema`: avro({ ... }), or json() for JSON without one';
  return [
    ...sources
      .filter(({ source }) => source.schema === undefined)
      .map(({ id, source }) => ({ where: id, message: `no schema for topic "${source.topic}"`, hint })),
    ...repartitions
      .filter(({ schema }) => schema === undefined)
      .map(({ id }) => ({ where: id, message: 'no schema for its topic', hint })),
  ];
}

function repartitionProblems(topology: Topology): TopologyProblem[] {
  const dotted = topology.repartitions
    .filter(({ id }) => id.includes('.'))
    .map(({ id }) => ({
      where: id,
      message: 'the id of a repartition has a dot',
      hint: 'its topic is named TOPOLOGY.ID.repartition: use an id without dots, so that no other topology has the same topic',
    }));
  const circular = circularRepartitions(topology).map(({ id }) => ({
    where: id,
    message: 'its output is joined with its own input',
    hint: 'a step cannot wait for its own sub-topology: repartition the other input too',
  }));
  const keyless = topology.repartitions
    .filter(({ key }) => typeof key !== 'function')
    .map(({ id }) => ({ where: id, message: 'no key', hint: 'pass `key`: (value) => value.account, for example' }));
  const ofOptions = topology.repartitions.flatMap(({ id, problems = [] }) =>
    problems.map(({ message, hint }) => ({ where: id, message, hint })),
  );
  return [...dotted, ...circular, ...keyless, ...ofOptions];
}

function globalProblems(topology: Topology): TopologyProblem[] {
  const global = globalNodes(topology);
  const written = [...topology.sinks, ...topology.repartitions]
    .filter(({ input }) => global.has(input.from))
    .map(({ id, input }) => ({
      where: id,
      message: `"${input.from}" is a global table, and every task would write it`,
      hint: 'a global table can only be joined: to write it, read its topic with kafka.tableSource as well',
    }));
  const alone = topology.sources.length > 0 && topology.sources.every(({ source }) => source.global);
  const { name: where } = topology;
  const hint = 'the number of tasks follows from the other sources: add one';
  return alone ? [...written, { where, message: 'all its sources are global', hint }] : written;
}

/** A sub-topology has one position in a topic: of two sources a restart would take either for moved by hand. */
function twiceRead(topology: Topology): TopologyProblem[] {
  return subtopologiesOf(topology).flatMap(({ sources }) => {
    const readBy = new Map<string, string>();
    return sources.flatMap(({ id, source }) => {
      const { connector, topic, global } = source;
      if (global) return []; // the checkpoint alone has its positions
      const reader = readBy.get(`${connector} ${topic}`);
      readBy.set(`${connector} ${topic}`, reader ?? id);
      if (reader === undefined) return [];
      const hint = 'use the stream of one source several times: every use gets every value';
      return [{ where: id, message: `reads the topic ${topic} that "${reader}" reads`, hint }];
    });
  });
}

function wireProblems(topology: Topology): TopologyProblem[] {
  const outputs = outputsOf(topology);
  const problem = (where: string, wire: Wire, input: string): TopologyProblem[] => {
    if (wire.from === '') {
      const hint = `pass the stream: .via('${where}', { ${input}: aStream }, operator)`;
      return [{ where, message: `the input "${input}" is missing`, hint }];
    }
    const known = outputs.get(wire.from);
    if (known === undefined) {
      const hint = 'a stream cannot cross topologies: write it to a topic in one and read the topic in the other';
      return [{ where, message: `the input "${input}" comes from outside this topology: ${wire.from}`, hint }];
    }
    if (wire.output >= known.length) {
      const hint = `it has ${known.length}: ${known.map((output) => output || 'its only one').join(', ')}`;
      return [{ where, message: `step "${wire.from}" has no output ${wire.output}`, hint }];
    }
    return [];
  };
  return [
    ...topology.steps.flatMap((step) =>
      step.inputs.flatMap((wire, index) => problem(step.id, wire, inputName(step, index))),
    ),
    ...[...topology.sinks, ...topology.repartitions].flatMap(({ id, input }) => problem(id, input, 'input')),
  ];
}

function unconsumedStreams(topology: Topology): TopologyProblem[] {
  const ends = [...topology.sinks, ...topology.repartitions];
  const wires = [...topology.steps.flatMap(({ inputs }) => inputs), ...ends.map(({ input }) => input)];
  const consumed = new Set(wires.map(({ from, output }) => `${from}/${output}`));
  return [...outputsOf(topology)].flatMap(([id, outputs]) =>
    outputs.flatMap((output, index) => {
      if (consumed.has(`${id}/${index}`)) return [];
      const message = output === '' ? 'its stream is never consumed' : `its output "${output}" is never consumed`;
      return [{ where: id, message, hint: 'add a sink or a step, or remove it' }];
    }),
  );
}

/** Two writers of one target would mix their records; a target that is also a source would feed itself. */
function targetProblems(topology: Topology): TopologyProblem[] {
  const problems: TopologyProblem[] = [];
  const readBy = new Map(topology.sources.map(({ id, source }) => [`topic ${source.topic}`, id]));
  const writtenBy = new Map<string, string>();
  for (const { id, sink } of allSinks(topology)) {
    const target = targetOf(sink.settings);
    if (target === undefined) continue;
    const reader = readBy.get(target);
    if (reader !== undefined) {
      const hint = 'a topology that reads its own output never ends: write to another topic';
      problems.push({ where: id, message: `writes to the ${target} that "${reader}" reads`, hint });
    }
    const key = `${sink.connector} ${target}`;
    const writer = writtenBy.get(key);
    if (writer === undefined) writtenBy.set(key, id);
    else {
      const hint = 'give each sink its own target; to write several streams to one target, join them before the sink';
      problems.push({ where: id, message: `writes to the same ${target} as "${writer}"`, hint });
    }
  }
  return problems;
}

/** The same where places are no topics: only their connector can tell whether one lies in another. */
function loopProblems(topology: Topology): TopologyProblem[] {
  return allSinks(topology).flatMap(({ id, sink: { connector, target } }) => {
    if (target === undefined) return [];
    const reader = topology.sources.find(
      ({ source }) => source.connector === connector && source.covers?.(target.sample),
    );
    if (reader === undefined) return [];
    const hint = 'a topology that reads its own output never ends: write to another target';
    return [{ where: id, message: `writes to the ${target.name}, which "${reader.id}" reads`, hint }];
  });
}

function operatorProblems({ steps }: Topology): TopologyProblem[] {
  return steps.flatMap(({ id, problems }) =>
    oncePerMistake(problems).map(({ message, hint }) => ({ where: id, message, hint })),
  );
}

function connectorProblems(topology: Topology): TopologyProblem[] {
  const ends = [
    ...topology.sources.map(({ id, source }) => ({ id, problems: source.problems })),
    ...allSinks(topology).map(({ id, sink }) => ({ id, problems: sink.problems })),
  ];
  return ends.flatMap(({ id, problems = [] }) => problems.map(({ message, hint }) => ({ where: id, message, hint })));
}

const ALERTS_MAX = 100;
const SEVERITIES: readonly AlertRule['severity'][] = ['info', 'warning', 'critical'];
const ALERT_OPTIONS: readonly (keyof AlertRule)[] = ['measure', 'above', 'below', 'for', 'severity'];

function alertProblems({ name, alerts, steps }: Topology): TopologyProblem[] {
  const wrong = (message: string, hint: string) => ({ where: name, message, hint });
  const ofRules = alerts.flatMap((rule, index) => {
    const { measure, above, below, for: duration, severity } = rule;
    const which = `alert ${index + 1} (${measure})`;
    const at = measure.lastIndexOf('/');
    const isKnown = (alertMeasures as readonly string[]).includes(measure);
    const isOfStep = at > 0 && at < measure.length - 1 && steps.some(({ id }) => id === measure.slice(0, at));
    const limits = [above, below].filter((limit) => limit !== undefined);
    return [
      ...(isKnown || isOfStep
        ? []
        : [
            wrong(
              `${which} watches an unknown measure`,
              `use STEP/NAME of a step, or one of ${alertMeasures.join(', ')}`,
            ),
          ]),
      ...(limits.length === 1 && limits.every(Number.isFinite)
        ? []
        : [wrong(`${which} needs one threshold`, 'give it a finite number as either `above` or `below`')]),
      ...(duration >= 0 && Number.isFinite(duration)
        ? []
        : [wrong(`${which} has no duration`, 'give it `for`, such as minutes(5), or seconds(0) to fire at once')]),
      ...(SEVERITIES.includes(severity)
        ? []
        : [wrong(`${which} has no known severity`, `give it \`severity\`: ${SEVERITIES.join(', ')}`)]),
      ...unknownOptions(rule, ALERT_OPTIONS).map(({ message, hint }) => wrong(`${which}: ${message}`, hint)),
    ];
  });
  const many = wrong(`has ${alerts.length} alerts`, `the most is ${ALERTS_MAX}`);
  return alerts.length > ALERTS_MAX ? [...ofRules, many] : ofRules;
}

const targetOf = ({ topic, table }: Settings): string | undefined => {
  if (topic !== undefined) return `topic ${topic}`;
  return table === undefined ? undefined : `table ${table}`;
};

/** The declared sinks, then the topology's own under the names of their options. */
function allSinks({ sinks, deadLetters, metrics }: Topology): { id: string; sink: Sink<never> }[] {
  const ofMetrics = metrics.map((sink, i) => ({ id: metricsName(i), sink }));
  return [...sinks, { id: 'deadLetters', sink: deadLetters }, ...ofMetrics];
}

const idsOf = ({ sources, steps, sinks, repartitions }: Topology): string[] =>
  [...sources, ...steps, ...sinks, ...repartitions].map(({ id }) => id);

function countBy(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
