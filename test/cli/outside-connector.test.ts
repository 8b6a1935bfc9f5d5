import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { millrace, userFolder } from './millrace.js';

// A connector that Millrace knows nothing of: all files of it lie in one folder, and the topology imports it.

const connector = {
  'echo/index.ts': `
import { defineConnector, option, required, type Sink, setting, sinkOf } from 'millrace/connect';
export const definition = defineConnector({
  name: 'echo',
  kinds: {
    fileSink: {
      role: 'sink', doc: 'Appends every value to a file.', writes: 'append',
      options: { prefix: required(option.text, 'Stands before each line.') },
    },
  },
  settings: { echoFile: setting.text('file', 'echo.txt', 'The file.') },
  async open({ settings }) {
    const { echoSink } = await import('./open.js');
    return { drivers: { fileSink: echoSink(settings.echoFile) } };
  },
});
export const fileSink = <T>(options: { prefix: string }): Sink<T> => sinkOf(definition.kinds.fileSink, options);
`,
  'echo/open.ts': `
import { appendFile } from 'node:fs/promises';
import type { SinkDriver } from 'millrace/connect';
export const echoSink = (file: string): SinkDriver => ({
  mode: 'append',
  open: async (sink) => {
    const { prefix } = sink.options as { prefix: string };
    return {
      write: (values) => appendFile(file, values.map((value) => prefix + JSON.stringify(value) + '\\n').join('')),
      close: async () => undefined,
    };
  },
});
`,
};

const user = userFolder({
  ...connector,
  'flow.ts': `
import { ndjson, topology } from 'millrace';
import { file } from 'millrace/connectors/file';
import { kafka } from 'millrace/connectors/kafka';
import { fileSink } from './echo/index.js';
export const flow = topology('flow', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const rows = t.source('rows', file.source({ path: 'rows.ndjson', schema: ndjson<{ n: number }>(), eventTime: ({ n }) => n }));
  rows.to('echo', fileSink({ prefix: '> ' }));
});
`,
  'millrace.config.ts': "export default { echoFile: 'from-config.txt' };\n",
  'package.json': '{"type":"module"}\n',
  'rows.ndjson': '{"n":1}\n{"n":2}\n',
});
afterAll(() => user.remove());
const call = (...args: string[]) => millrace(args, { folder: user.folder });

describe('a connector from outside', () => {
  it('is files of one folder', () => {
    expect(readdirSync(join(user.folder, 'echo')).sort()).toEqual(['index.ts', 'open.ts']);
    expect(new Set(Object.keys(connector).map((name) => name.split('/')[0]))).toEqual(new Set(['echo']));
  });

  it('is checked, described and shown by what it says of itself', async () => {
    expect(await call('check', 'flow.ts')).toMatchObject({ code: 0 });
    const described = await call('describe', 'flow.ts');
    expect(described).toMatchObject({ code: 0, out: expect.stringMatching(/echo\.fileSink[\s\S]*at-least-once/) });
    const { out } = await call('connectors', 'show', 'echo', '--file', 'flow.ts');
    expect(out).toContain('Appends every value to a file.');
    expect(out).toContain('prefix  (text, required)');
    expect(out).toContain('MILLRACE_ECHO_FILE');
    expect((await call('connectors', 'show', 'echo')).code).toBe(1);
  }, 60_000);

  it('runs, with settings from the file', async () => {
    expect(await call('run', 'flow.ts', '--until-end')).toMatchObject({ code: 0 });
    expect(readFileSync(join(user.folder, 'from-config.txt'), 'utf8')).toBe('> {"n":1}\n> {"n":2}\n');
  }, 60_000);

  it('is refused by verify, by name, since it says nothing of that', async () => {
    const refused = await call('verify', 'flow.ts', '--input', 'rows.ndjson');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('a sink of kind echo.fileSink cannot be isolated');
  }, 60_000);
});
