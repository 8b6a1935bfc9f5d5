import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TOKEN_VARIABLE, tokenOf } from '../clickhouse-users.js';
import { HOST } from '../ports.js';
import type { Places, Service } from '../service.js';

export const clickhouse: Service = {
  name: 'clickhouse',
  title: 'ClickHouse (chdb behind HTTP)',
  defaultPort: 8123,
  variable: 'MILLRACE_CLICKHOUSE',
  url: (port) => `http://${HOST}:${port}`,
  credentials: (data) => `millrace:${tokenOf(data)}`,

  async prepare({ data }: Places, port) {
    await mkdir(data, { recursive: true });
    const fromSource = import.meta.url.endsWith('.ts');
    const host = fileURLToPath(new URL(`../clickhouse-host${fromSource ? '.ts' : '.js'}`, import.meta.url));
    const loader = fromSource ? ['--import', import.meta.resolve('tsx')] : [];
    return {
      command: process.execPath,
      args: [...loader, host, join(data, 'db'), String(port)],
      env: {
        [TOKEN_VARIABLE]: tokenOf(data),
        UV_THREADPOOL_SIZE: '16', // each statement takes a thread while it runs
      },
    };
  },

  async check(port) {
    const response = await fetch(`${this.url(port)}/ping`, { signal: AbortSignal.timeout(2_000) });
    if ((await response.text()) !== 'Ok.\n') throw new Error(`HTTP ${response.status}`);
  },
};
