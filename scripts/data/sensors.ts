import { join } from 'node:path';
import { byTime, type DataSet } from './data-set.js';
import { readTable } from './read-table.js';
import { stdlibDatasets } from './stdlib.js';

const FILE = 'suthaharan-single-hop-sensor-network/data/data.csv';
const START_MS = Date.UTC(2010, 4, 9, 9);
const EVERY_MS = 5_000;
/** The motes take turns within the five seconds. */
const TURN_MS = 1_000;
const NOTED_AFTER_MS = 600_000;

interface Line {
  readonly reading: number;
  readonly mote_id: number;
  readonly humidity: number;
  readonly temperature: number;
  readonly label: number;
}

/** Four motes for six hours, two indoors and two outdoors; steam of a kettle came near two of them. */
export const sensors: DataSet = {
  name: 'sensors',
  topologies: ['sensor-anomalies'],
  revision: 1,
  about:
    'Labelled wireless sensor network data (Suthaharan et al. 2010): 18,914 readings, 149 of them of introduced events, ODC-By 1.0 and CC BY 4.0',
  from: { package: stdlibDatasets, paths: [FILE] },
  async streams(folder) {
    const lines = byTime(await readTable<Line>(join(folder, FILE)), measuredAt);
    const idOf = ({ mote_id: mote, reading }: Line) => mote * 10_000 + reading;
    return {
      readings: lines.map((line) => ({
        id: idOf(line),
        mote: line.mote_id,
        measuredAt: measuredAt(line),
        humidity: line.humidity,
        celsius: line.temperature,
      })),
      events: lines.map((line) => ({
        id: idOf(line),
        notedAt: measuredAt(line) + NOTED_AFTER_MS,
        isEvent: line.label === 1,
      })),
    };
  },
};

const measuredAt = ({ reading, mote_id: mote }: Line): number => START_MS + reading * EVERY_MS + mote * TURN_MS;
