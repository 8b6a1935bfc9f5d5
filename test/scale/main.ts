import { runDrill } from '../upgrade/run-drill.js';
import { BEHIND_MAX, drill } from './drill.js';

// npm run drill:scale -- [--rate 20000] [--rest 10]
await runDrill({
  name: 'scale',
  about:
    'Lets a small autoscaler run a topology in one process, six and two, under load; one process is ended, one is killed.',
  rate: 20_000,
  kafka: '12 tasks',
  drill,
  isRight: ({ wrong, steps }) =>
    Object.values(wrong).every((count) => count === 0) &&
    steps.every(({ secondsBehind }) => secondsBehind < BEHIND_MAX),
});
