import { expectations, repair, repairs, topology, validate } from 'millrace';
import { deadLetters, out, topic } from '../io.js';

interface Weighed {
  readonly at: number;
  readonly port: string;
  readonly unit: string;
  readonly weight: number;
}

const rules = repairs<Weighed>()
  .spelling('port', ['Rotterdam', 'Hamburg'], { distanceMax: 2 })
  .unit('weight', { unit: 'unit', to: 'kg', from: { t: 1_000 } });

/** Repairs what has one meaning, and sends the rest to the dead letters with the reason. */
export const example = topology('clean-then-check', { deadLetters }, (t) => {
  const { repaired, repairs: trail } = t.source('weighed', topic<Weighed>('weighed')).split('repair', repair(rules));
  repaired
    .via('sound', validate(expectations<Weighed>().oneOf('port', ['Rotterdam', 'Hamburg']).range('weight', 0, 50_000)))
    .to('out', out());
  trail.to('trail', out('trail'));
});

export const records = {
  weighed: [
    { at: 0, port: 'Rotterdma', unit: 't', weight: 2 },
    { at: 1, port: 'Bremen', unit: 'kg', weight: 9 },
  ],
};

/* out
out  {"at": 0, "port": "Rotterdam", "unit": "kg", "weight": 2000}
trail  {"field": "port", "from": "Rotterdma", "to": "Rotterdam", "rule": "spelling", "step": "repair", "topic": "weighed", "partition": 0, "offset": 0, "eventTime": 0}
trail  {"field": "weight", "from": "2", "to": "2000", "rule": "unit", "step": "repair", "topic": "weighed", "partition": 0, "offset": 0, "eventTime": 0}
trail  {"field": "unit", "from": "t", "to": "kg", "rule": "unit", "step": "repair", "topic": "weighed", "partition": 0, "offset": 0, "eventTime": 0}
dead letter  one-of:port: port is "Bremen", none of the 2 allowed values
*/
