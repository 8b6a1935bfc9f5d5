import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/program.js';
import { connectorKinds, connectorOf } from '../connector-kinds.js';

async function printed(...args: string[]) {
  let out = '';
  let err = '';
  const code = await main(['connectors', ...args], {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

describe('millrace connectors', () => {
  it('lists every kind', async () => {
    const { code, out } = await printed('list', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toHaveLength(connectorKinds.length);
    const { out: table } = await printed('list');
    for (const { kind, doc } of connectorKinds)
      expect(table).toMatch(new RegExp(`^${kind} .*${doc.slice(0, 20)}`, 'm'));
  });

  it.each(connectorKinds)('shows $kind with every option', async (kind) => {
    const { code, out } = await printed('show', kind.kind);
    expect(code).toBe(0);
    for (const name of Object.keys(kind.options)) expect(out).toContain(`  ${name}  (`);
    for (const { doc } of Object.values(kind.options)) expect(out).toContain(doc);
    expect(out.includes('Delivery by profile')).toBe(kind.role === 'sink');
    expect(out).toContain(`from 'millrace/connectors/${connectorOf(kind.kind)}'`);
  });

  it('shows all kinds of a connector', async () => {
    const { out } = await printed('show', 'http', '--json');
    const kinds = (JSON.parse(out) as readonly { kind: string }[]).map(({ kind }) => kind);
    expect(kinds).toEqual(connectorKinds.map(({ kind }) => kind).filter((kind) => connectorOf(kind) === 'http'));
  });

  it('says what there is where there is no such connector', async () => {
    const { code, err } = await printed('show', 'http.webhok');
    expect(code).toBe(1);
    expect(err).toContain('there is no connector http.webhok');
    expect(err).toContain('http.webhookSink');
  });

  it('names each kind once, in a sentence', () => {
    expect(new Set(connectorKinds.map(({ kind }) => kind)).size).toBe(connectorKinds.length);
    for (const { doc, options } of connectorKinds) {
      for (const text of [doc, ...Object.values(options).map((option) => option.doc)]) expect(text).toMatch(/\.$/);
    }
  });
});
