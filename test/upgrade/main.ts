import { drill } from './drill.js';
import { runDrill } from './run-drill.js';

// npm run drill:upgrade -- [--rate 10000] [--rest 10]
await runDrill({
  name: 'upgrade',
  about: 'Replaces processes of one version by those of another, one by one, under load.',
  rate: 10_000,
  kafka: 'two processes of each version, four tasks',
  drill,
  isRight: ({ wrong }) => Object.values(wrong).every((counts) => Object.values(counts).every((count) => count === 0)),
});
