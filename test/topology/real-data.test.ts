import { expect, it } from 'vitest';
import { check, deliveryOn, describe, type Topology } from '../../src/topology/index.js';
import { digits } from '../../topologies/digits.js';
import { flightEvaluation } from '../../topologies/flight-evaluation.js';
import { flightMinutes } from '../../topologies/flight-minutes.js';
import { ratings } from '../../topologies/ratings.js';
import { sensorAnomalies } from '../../topologies/sensor-anomalies.js';
import { spam } from '../../topologies/spam.js';

const topologies: readonly Topology[] = [digits, flightEvaluation, flightMinutes, ratings, sensorAnomalies, spam];

it('the topologies on real data have no problems and are the golden text', async () => {
  expect(topologies.flatMap(check)).toEqual([]);
  const texts = topologies.map((topology) => describe(topology, deliveryOn('embedded')));
  await expect(texts.join('\n')).toMatchFileSnapshot('../golden/real-data.txt');
});
