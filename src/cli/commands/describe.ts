import type { Command } from 'commander';
import { grafanaBoard } from '../../server/alerts/grafana-board.js';
import { prometheusRules } from '../../server/alerts/rules-file.js';
import {
  deliveryOn,
  describe,
  internalTopic,
  mermaid,
  sinkAsWritten,
  subtopologiesOf,
  topologyHash,
} from '../../topology/index.js';
import { exitCodes } from '../../util/terminal.js';
import { type CommandContext, command, profileOptions } from '../command.js';
import { readConfig } from '../load/config-file.js';
import { loadTopology } from '../load/load-topology.js';

interface DescribeOptions {
  readonly mermaid?: boolean;
  readonly alertRules?: boolean;
  readonly grafana?: boolean;
  readonly profile?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** `millrace describe`: what a topology consists of, and what each of its sinks guarantees. */
export function describeCommand({ terminal, act }: CommandContext): Command {
  const shared = profileOptions();
  return command(
    'describe',
    'Prints the sources, steps and sinks of a topology, and the delivery guarantee of each sink.',
    [
      'millrace describe topologies/flight-delays.ts',
      'millrace describe topologies/flight-delays.ts --mermaid > flight-delays.mmd',
      'millrace describe topologies/flight-delays.ts --grafana > board.json',
    ],
  )
    .argument('<file>', 'topology file, or FILE#name if it exports several')
    .option('--mermaid', 'print a Mermaid flowchart')
    .option('--alert-rules', 'print the alerts of the topology as a rule file of Prometheus')
    .option('--grafana', 'print a board of Grafana over the metrics and alerts of the topology, as JSON to import')
    .addOption(shared.profile)
    .action((file: string, options: DescribeOptions) =>
      act(options, async () => {
        const topology = await loadTopology(file);
        const { profile } = await readConfig({ profile: options.profile }, { topology });
        const delivery = deliveryOn(profile);
        if (options.json) {
          const sources = topology.sources.map(({ id, source: { kind, settings } }) => ({ id, kind, settings }));
          const steps = topology.steps.map(({ id, kind, settings, shape, inputs }) => {
            return { id, kind, shape: shape.shape, settings, inputs };
          });
          const sinks = topology.sinks.map(({ id, sink, input }) => {
            return {
              id,
              kind: sink.kind,
              settings: sink.settings,
              input,
              delivery: delivery(sinkAsWritten(topology, id, sink)),
            };
          });
          const repartitions = topology.repartitions.map(({ id, schema, input }) => {
            return { id, topic: internalTopic(topology.name, id), schema: schema.subject, input };
          });
          const subtopologies = subtopologiesOf(topology).map((subtopology) => ({
            name: subtopology.name,
            hash: topologyHash(subtopology),
          }));
          const { name } = topology;
          const whole = { name, hash: topologyHash(topology), profile, sources, steps, sinks };
          const object = repartitions.length === 0 ? whole : { ...whole, repartitions, subtopologies };
          terminal.out(`${JSON.stringify(object)}\n`);
        } else if (options.alertRules) terminal.out(prometheusRules(topology));
        else if (options.grafana) terminal.out(grafanaBoard(topology));
        else terminal.out(options.mermaid ? mermaid(topology) : describe(topology, delivery));
        return exitCodes.ok;
      }),
    );
}
