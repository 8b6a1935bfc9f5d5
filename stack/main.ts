#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { MillraceError, messageOf } from '../src/core/errors.js';
import { type ServiceName, serviceNames } from './service.js';
import { services, stackEnv, stackStatus, startStack, stopStack } from './stack.js';

const help = `\
Real Kafka, schema registry, Redis, ClickHouse and an S3 store on loopback, for development and tests.

  npm run stack                            start everything, return when it answers
  npm run stack -- --services kafka,redis  start these
  npm run stack -- env                     the addresses again, with their secrets, for eval "$(npm run -s stack -- env)"
  npm run stack -- status                  what runs, and where
  npm run stack -- stop                    end what was started here, and nothing else

Options
  --services LIST        of ${serviceNames.join(', ')}
  --data DIR             where everything is kept (.millrace/stack, or MILLRACE_STACK_DATA)
${serviceNames.map((name) => `  --${`${name}-port PORT`.padEnd(21)}${services[name].title} (${services[name].defaultPort}, or ${portVariable(name)}); 0 takes a free one`).join('\n')}
`;

function portVariable(name: ServiceName): string {
  return `MILLRACE_STACK_${name.toUpperCase()}_PORT`;
}

function readOptions(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      services: text,
      data: text,
      'kafka-port': text,
      'registry-port': text,
      'redis-port': text,
      'clickhouse-port': text,
      's3-port': text,
      help: { type: 'boolean', short: 'h' },
    },
  });
  const chosen = values.services?.split(',').map((name) => name.trim()) ?? serviceNames;
  for (const name of chosen) if (!isServiceName(name)) throw usage(`no service is called '${name}'`);
  const ports = Object.fromEntries(
    serviceNames.flatMap((name) => {
      const port = values[`${name}-port`] ?? process.env[portVariable(name)];
      if (port === undefined) return [];
      if (!/^\d+$/.test(port) || Number(port) > 65_535) throw usage(`'${port}' is no port`);
      return [[name, Number(port)]];
    }),
  );
  return {
    command: values.help ? 'help' : (positionals[0] ?? 'start'),
    services: chosen as readonly ServiceName[],
    ports,
    dataDir: values.data ?? process.env.MILLRACE_STACK_DATA ?? '.millrace/stack',
  };
}

const isServiceName = (name: string): name is ServiceName => (serviceNames as readonly string[]).includes(name);
const usage = (message: string) => new MillraceError('config', message, { hint: 'see `npm run stack -- --help`' });

const exports = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .map(([name, value]) => `export ${name}=${value}`)
    .join('\n');

async function main(argv: readonly string[]): Promise<void> {
  const { command, dataDir, ...options } = readOptions(argv);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  if (command === 'help') {
    print(help);
  } else if (command === 'start') {
    const stack = await startStack({ ...options, dataDir, log: print });
    print('');
    print(exports(stack.env));
    print('\nData and logs are in the folder below; `npm run stack -- stop` ends it.');
    print(dataDir);
  } else if (command === 'env') {
    print(exports(stackEnv(dataDir)));
  } else if (command === 'stop') {
    const ended = await stopStack(dataDir);
    print(ended.length > 0 ? `stopped ${ended.join(', ')}` : 'nothing was running');
  } else if (command === 'status') {
    for (const { name, state, url, pid } of await stackStatus(dataDir)) {
      print(`${name.padEnd(11)}${state.padEnd(9)}${url ?? ''}${pid ? ` (process ${pid})` : ''}`);
    }
  } else {
    throw usage(`there is no command '${command}'`);
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const hint = error instanceof MillraceError && error.hint ? `\n${error.hint}` : '';
  process.stderr.write(`${messageOf(error)}${hint}\n`);
  process.exitCode = 1;
}
