import type { Graph } from '../../server/graph.js';
import type { GroupPicture } from '../../server/group/group-pictures.js';
import type { NodeFigures } from '../../server/live.js';
import { counted } from '../../util/counted.js';
import { textTable } from '../../util/text-table.js';

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const rate = (value: number): string => (value >= 10 ? whole(value) : value.toFixed(1));
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const statusWords = {
  ok: 'running',
  paused: 'paused',
  degraded: 'degraded: a sink is down',
  partial: 'running, not all processes answer',
  stopped: 'stopped',
} as const;

/**
 * What the live page shows, as text: the state of a run, its bottleneck, each source, step and sink, and each input.
 *
 * @example
 * statusText(graph, picture).split('\n')[0]; // 'flight-delays: running, embedded profile, 1 process, up 75 s, 0 task restarts'
 */
export function statusText({ topology, profile, nodes }: Graph, picture: GroupPicture): string {
  const { status, upSeconds, restarts, lag, latency, deadLetters, loop, inputs, sinksDown } = picture;
  const toGo =
    lag !== null && picture.lagRate < 0 && status !== 'paused' && status !== 'degraded' ? lag / -picture.lagRate : 0;
  const dead = deadLetters.reduce((sum, { count }) => sum + count, 0);
  const facts = [
    `${rate(picture.readRate)} records/s read`,
    `${rate(picture.writtenRate)} rows/s written`,
    lag === null ? '' : `${whole(lag)} behind${toGo > 0 ? `, ${whole(toGo)} s to go` : ''}`,
    latency ? `p99 ${rate(latency.p99)} ms` : '',
    `${percent(loop)} of the thread`,
    `${whole(dead)} dead letters`,
  ];
  const problems = [
    ...sinksDown.map(({ sink, seconds, cause }) => `${sink} has been down for ${seconds} s: ${cause}`),
    ...picture.silent.map(({ id, seconds }) => `${id} has not answered for ${seconds} s`),
    ...picture.missing,
    ...picture.warnings,
  ];
  return [
    `${topology}: ${statusWords[status]}, ${profile} profile, ${counted(picture.processes.length, 'process', 'processes')}, up ${whole(upSeconds)} s, ${restarts} task restarts`,
    facts.filter((fact) => fact !== '').join(', '),
    picture.bottleneckText,
    ...problems.map((problem) => `warning: ${problem}`),
    '',
    textTable(nodes.map(({ id, role, kind }) => ({ node: `${role} ${id}`, kind, ...columnsOf(picture.nodes[id]) }))),
    textTable(
      inputs.map(({ source, task, isOpen, position, lag: behind, lagSeconds, isWaitedFor }) => ({
        ...{
          input: source,
          task,
          position: position ?? '',
          behind: behind ?? 'unknown',
          'seconds behind': lagSeconds === null ? '' : whole(lagSeconds),
        },
        state: !isOpen
          ? 'not open yet'
          : status === 'paused'
            ? 'paused'
            : isWaitedFor
              ? 'waited for'
              : behind === 0
                ? 'at its end'
                : 'reading',
      })),
    ),
  ].join('\n');
}

function columnsOf(figures: NodeFigures | undefined) {
  const { shares } = figures ?? {};
  const share = (value: number | undefined) => (value === undefined ? '' : percent(value));
  return {
    'per second': figures ? rate(figures.outRate) : '',
    out: figures ? whole(figures.out) : '',
    dead: figures ? whole(figures.deadLetters) : '',
    'p99 ms': figures?.latency ? rate(figures.latency.p99) : '',
    busy: share(shares?.busy),
    backpressured: share(shares?.backpressured),
    idle: share(shares?.idle),
  };
}
