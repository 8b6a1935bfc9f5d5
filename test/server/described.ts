import { deliveryOn, describe, type Topology } from '../../src/topology/index.js';

/** What is seen of a drawing. */
export interface Drawn {
  readonly nodes: readonly string[];
  readonly lines: readonly string[];
  readonly guarantees: readonly string[];
}

/** What the text says that a drawing must show: boxes, lines between them, and the guarantees of sinks. */
export function describedBy(topology: Topology): Drawn {
  const heads = describe(topology, deliveryOn('embedded'))
    .split('\n')
    .filter((line) => /^(source|step|repartition|sink) /.test(line))
    .map((line) => {
      const [, text = '', guarantee] = /^(.*?)(?: {2}\[([\w-]+)\])?$/.exec(line.trimEnd()) ?? [];
      const [role = '', id = '', ...rest] = text.split(/ {2,}/);
      return { role, id, inputs: rest.length > 1 ? (rest[0] ?? '') : '', kind: rest.at(-1) ?? '', guarantee };
    })
    .filter(({ role, id }) => role !== 'sink' || !/^(deadLetters|metrics(-\d+)?)$/.test(id));
  const ids = new Set(heads.map(({ id }) => id));
  const nodes = heads.map(({ role, id, kind }) =>
    role === 'repartition' ? `${role} ${id}, ${role}` : `${role} ${id}, ${kind.replace(/ \(\w+\)$/, '')}`,
  );
  const lines = heads.flatMap(({ id, inputs }) =>
    inputs === ''
      ? []
      : inputs.split(', ').map((input) => {
          const [, name, wire = ''] = /^(?:<-|(.+):) (.+)$/.exec(input) ?? [];
          // A step with several outputs is followed by the name of one.
          const from = ids.has(wire) ? wire : wire.replace(/\.[^.]+$/, '');
          return `${from} to ${id}${name === undefined ? '' : ` (${name})`}`;
        }),
  );
  const guarantees = heads.flatMap(({ role, id, guarantee }) => (role === 'sink' ? [`${id}: ${guarantee}`] : []));
  return { nodes: nodes.sort(), lines: lines.sort(), guarantees: guarantees.sort() };
}
