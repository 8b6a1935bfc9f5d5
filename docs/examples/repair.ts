import { repair, repairs, topology } from 'millrace';
import { deadLetters, out, topic } from './io.js';

interface Weighed {
  readonly at: number;
  readonly port: string;
  readonly unit: string;
  readonly weight: number;
}

const rules = repairs<Weighed>()
  .aliases('port', { 'The Hook': 'Rotterdam' })
  .spelling('port', ['Rotterdam', 'Antwerp', 'Hamburg'], { distanceMax: 2 })
  .unit('weight', { unit: 'unit', to: 'kg', from: { t: 1_000, lb: 0.45359237 } });

/** Repairs what it can without guessing, and leaves a row for each thing that it changed. */
export const example = topology('repair', { deadLetters }, (t) => {
  const { repaired, repairs: trail } = t.source('weighed', topic<Weighed>('weighed')).split('repair', repair(rules));
  repaired.to('out', out());
  trail.to('trail', out('trail'));
});

export const records = {
  weighed: [
    { at: 0, port: 'Antwerp', unit: 'kg', weight: 500 },
    { at: 1, port: 'Rotterdma', unit: 't', weight: 2 },
    { at: 2, port: 'The Hook', unit: 'kg', weight: 70 },
    { at: 3, port: 'Bremen', unit: 'kg', weight: 9 },
  ],
};

/* out
out  {"at": 0, "port": "Antwerp", "unit": "kg", "weight": 500}
out  {"at": 1, "port": "Rotterdam", "unit": "kg", "weight": 2000}
out  {"at": 2, "port": "Rotterdam", "unit": "kg", "weight": 70}
out  {"at": 3, "port": "Bremen", "unit": "kg", "weight": 9}
trail  {"field": "port", "from": "Rotterdma", "to": "Rotterdam", "rule": "spelling", "step": "repair", "topic": "weighed", "partition": 0, "offset": 1, "eventTime": 1000}
trail  {"field": "weight", "from": "2", "to": "2000", "rule": "unit", "step": "repair", "topic": "weighed", "partition": 0, "offset": 1, "eventTime": 1000}
trail  {"field": "unit", "from": "t", "to": "kg", "rule": "unit", "step": "repair", "topic": "weighed", "partition": 0, "offset": 1, "eventTime": 1000}
trail  {"field": "port", "from": "The Hook", "to": "Rotterdam", "rule": "aliases", "step": "repair", "topic": "weighed", "partition": 0, "offset": 2, "eventTime": 2000}
*/
