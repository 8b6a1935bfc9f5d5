import { runDrill } from '../upgrade/run-drill.js';
import { drill } from './drill.js';

// npm run drill:scale -- [--rate 20000] [--rest 10]
await runDrill({
  name: 'scale',
  about:
    'Lets a small autoscaler run a topology in one process, six and two, under load; one process is ended, one is killed.',
  rate: 20_000,
  kafka: '12 tasks',
  drill,
  isRight: ({ wrong }) => Object.values(wrong).every((count) => count === 0),
});
