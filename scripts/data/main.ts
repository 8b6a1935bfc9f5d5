// Real data for the topologies: `npm run data -- digits` fetches it, and prints what to do with it.
import { relative } from 'node:path';
import { type DataSet, fileOf, prepare } from './data-set.js';
import { digits } from './digits.js';
import { flights } from './flights.js';
import { ratings } from './ratings.js';
import { sensors } from './sensors.js';
import { spam } from './spam.js';

const sets: readonly DataSet[] = [flights, digits, sensors, spam, ratings];
const wanted = process.argv[2];
const set = sets.find(({ name }) => name === wanted);

if (set) {
  const inputs = (await prepare(set)).map((source) => `--input ${source}=${relative('.', fileOf(set, source))}`);
  console.log(set.about);
  for (const topology of set.topologies) {
    console.log(`\nnpx millrace verify topologies/${topology}.ts --kills 20 \\`);
    console.log(`  ${inputs.join(' \\\n  ')}`);
  }
} else {
  console.log('npm run data -- NAME    writes the streams of a data set to .millrace/data-sets, as JSON lines\n');
  for (const { name, about } of sets) console.log(`  ${name.padEnd(8)}  ${about}`);
  process.exitCode = wanted === undefined || wanted === '--help' ? 0 : 2;
}
