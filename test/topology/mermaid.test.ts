import { describe, expect, it } from 'vitest';
import { mermaid, topology } from '../../src/topology/index.js';
import { deadLetters, keepAll, orders, topicSink, topicSource } from './fixtures.js';

describe('mermaid', () => {
  it('is the golden drawing', async () => {
    await expect(mermaid(orders)).toMatchFileSnapshot('../golden/orders.mmd');
  });

  it('declares every node that an edge names, and one node for each source, step and sink', () => {
    const lines = mermaid(orders).split('\n');
    const declared = lines.flatMap((line) => /^\s+([a-z]\w*)(?:\(|\[)/.exec(line)?.[1] ?? []);
    const named = lines.flatMap((line) => /^\s+(\w+) (?:--|-\.).*> (\w+)$/.exec(line)?.slice(1) ?? []);
    expect(new Set(declared).size).toBe(declared.length);
    expect(declared).toHaveLength(orders.sources.length + orders.steps.length + orders.sinks.length + 2);
    for (const name of named) expect([...declared, 'engine']).toContain(name);
  });

  it('survives ids that are words of the language', () => {
    const value = topology('graph', { deadLetters }, (t) => {
      t.source('end', topicSource('end.v1')).via('subgraph', keepAll()).to('click', topicSink('out.v1'));
    });
    for (const line of mermaid(value).split('\n')) expect(line).not.toMatch(/^\s+(click|subgraph [^e])/);
    expect(mermaid(value)).toContain('n0 --> n1');
  });
});
