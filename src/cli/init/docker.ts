import { parse } from 'node:path';

// Files for containers, as text. The services are those of the docker-compose.yml of the package.

/** Beyond the stall limit (60 s), which bounds how long a run drains. */
const GRACE_SECONDS = 90;

/** Of the run inside of the container. */
const PORT = 9464;

const dockerfile = (
  file: string,
) => `# docker build -t ${nameOf(file)} . (package-lock.json must be there: npm install millrace)
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Without the option, onnxruntime downloads CUDA libraries for NVIDIA GPUs.
RUN npm ci --omit=dev --no-fund --no-audit --onnxruntime-node-install=skip

# Nothing is written to the image: run it with --read-only --tmpfs /tmp.
FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production MILLRACE_PROFILE=cluster MILLRACE_PORT=${PORT}
COPY --from=packages /app/node_modules ./node_modules
COPY . .
USER node
EXPOSE ${PORT}
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.MILLRACE_PORT + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself gets SIGTERM, and drains. It takes up to ${GRACE_SECONDS} s: docker stop --time ${GRACE_SECONDS}
CMD ["node", "--max-semi-space-size=64", "node_modules/millrace/dist/src/cli/main.cjs", "run", "${file}"]
`;

const dockerignore = `.git
.env*
.millrace
node_modules
*.test.ts
Dockerfile
compose.yaml
`;

const compose = (file: string) => `# The topology beside Kafka, a schema registry, Redis and ClickHouse: ${dockerStep}
# Topics must be there before it reads them: npx millrace produce TOPIC --profile cluster, while the services run.
include: [node_modules/millrace/docker-compose.yml]

services:
  ${nameOf(file)}:
    build: .
    depends_on: [kafka, registry, redis, clickhouse]
    restart: on-failure
    ports: ["127.0.0.1:${PORT}:${PORT}"]
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    stop_grace_period: ${GRACE_SECONDS}s
    environment:
      MILLRACE_KAFKA: kafka:29092
      MILLRACE_REGISTRY: http://registry:8080/apis/ccompat/v7
      MILLRACE_REDIS: redis://redis:6379
      MILLRACE_CLICKHOUSE: http://millrace:millrace-secret@clickhouse:8123
      MILLRACE_HOST: 0.0.0.0
      MILLRACE_TOKEN: \${MILLRACE_TOKEN:?choose one, which the page then asks for}
`;

/** The name of a service and an image: in small letters, as both must be. */
const nameOf = (file: string): string =>
  parse(file)
    .name.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');

export const dockerStep = 'MILLRACE_TOKEN=secret docker compose up --build';

/** A Dockerfile, a .dockerignore and a compose file for a topology, by path. */
export const dockerFiles = (file: string): ReadonlyMap<string, string> =>
  new Map([
    ['Dockerfile', dockerfile(file)],
    ['.dockerignore', dockerignore],
    ['compose.yaml', compose(file)],
  ]);
