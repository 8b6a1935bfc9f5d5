import { mkdir } from 'node:fs/promises';
import { ask, HOST } from '../ports.js';
import type { Places, Service } from '../service.js';
import { requireProgram } from '../tools.js';

const install = '`npm run setup` installs it, or `apt-get install redis-server` (`brew install redis`)';

export const redis: Service = {
  name: 'redis',
  title: 'Redis',
  defaultPort: 6379,
  variable: 'MILLRACE_REDIS',
  url: (port) => `redis://${HOST}:${port}`,

  async prepare({ data }: Places, port) {
    await requireProgram('redis-server', ['--version'], install);
    await mkdir(data, { recursive: true });
    const place = ['--bind', HOST, '--port', String(port), '--dir', data];
    return { command: 'redis-server', args: [...place, '--appendonly', 'yes', '--save', '', '--daemonize', 'no'] };
  },

  async check(port) {
    const answer = await ask(port, Buffer.from('PING\r\n'));
    if (!answer.toString().startsWith('+PONG')) throw new Error(answer.toString().trim());
  },
};
