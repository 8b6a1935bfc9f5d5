/** The address of a real service; a test that needs one fails without it. */
export function address(
  variable: 'MILLRACE_KAFKA' | 'MILLRACE_REDIS' | 'MILLRACE_CLICKHOUSE' | 'MILLRACE_REGISTRY' | 'MILLRACE_S3',
): string {
  const value = process.env[variable];
  if (!value) throw new Error(`${variable} is not set: run \`npm test\`, or \`npm run stack\` and what it prints`);
  return value;
}

/** The services of the cluster profile, for a command or a configuration. */
export const clusterEnv = () => ({
  MILLRACE_KAFKA: address('MILLRACE_KAFKA'),
  MILLRACE_REDIS: address('MILLRACE_REDIS'),
  MILLRACE_CLICKHOUSE: address('MILLRACE_CLICKHOUSE'),
  MILLRACE_REGISTRY: address('MILLRACE_REGISTRY'),
});
