import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Machine, ofFolder, ofMachine, thisMachine } from '../../../src/cli/doctor/machine.js';

const GIB = 2 ** 30;
const machine: Machine = { node: '20.20.2', nodeMin: '20.19', heapMaxBytes: 2 * GIB, memoryBytes: 4 * GIB };
const statesOf = (changed: Partial<Machine>) =>
  Object.fromEntries(ofMachine({ ...machine, ...changed }).map(({ of, state }) => [of, state]));

describe('a machine', () => {
  it('is fit', () => {
    expect(statesOf({})).toEqual({ Node: 'fine', memory: 'fine' });
    expect(statesOf(thisMachine('20.19')).Node).toBe('fine');
  });

  it.each(['20.9.0', '18.20.0', '20.18.99'])('has Node %s, which is too old', (node) => {
    expect(statesOf({ node }).Node).toBe('problem');
  });

  it('has less memory than the heap may take', () => {
    const [, memory] = ofMachine({ ...machine, memoryBytes: 2 * GIB });
    expect(memory).toMatchObject({ state: 'warning', hint: expect.stringContaining('--max-old-space-size=768') });
  });
});

describe('a folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-doctor-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('can be written to, whether it is there or not', async () => {
    expect((await ofFolder(folder)).state).not.toBe('problem');
    expect((await ofFolder(join(folder, 'not', 'there'))).state).not.toBe('problem');
  });

  it('cannot be made where a file is', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await ofFolder(join(file, 'data'))).toMatchObject({
      state: 'problem',
      said: `${file} is no folder that can be written to`,
    });
  });
});
