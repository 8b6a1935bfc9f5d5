import type { Finding } from '../../src/core/connector.js';
import { counted } from '../../src/util/counted.js';
import type { Admin } from './admin.js';
import { addressText } from './connection/address.js';
import type { Cluster } from './connection/cluster.js';
import { code, hasCode } from './protocol/broker-error.js';
import { OWN_EPOCHS } from './transaction.js';

const COPIES = {
  'default.replication.factor': 'state and outputs in topics that a run creates',
  'transaction.state.log.replication.factor': 'the state of transactions',
  'offsets.topic.replication.factor': 'the positions of groups',
} as const;

/** For `millrace doctor`: the brokers, what they have agreed on, and their settings. Changes nothing. */
export async function examineKafka(cluster: Cluster, admin: Admin): Promise<readonly Finding[]> {
  const brokers = cluster.brokers();
  const of = `Kafka at ${[...brokers.values()].map(addressText).join(', ')}`;
  const findings: Finding[] = [{ of, state: 'fine', said: `${counted(brokers.size, 'broker')} answered` }];
  if ((await cluster.featureLevel(OWN_EPOCHS.feature)) < OWN_EPOCHS.level)
    findings.push({
      of,
      state: 'warning',
      said: `the brokers have not agreed on ${OWN_EPOCHS.feature} ${OWN_EPOCHS.level}`,
      hint: 'a marker that a coordinator repeats may end the next transaction (delivery guide): upgrade to Kafka 4 and raise the feature',
    });
  for (const id of brokers.keys()) findings.push(...(await ofBroker(admin, id, `${of}, broker ${id}`, brokers.size)));
  return findings;
}

async function ofBroker(admin: Admin, id: number, of: string, brokers: number): Promise<Finding[]> {
  try {
    return lessThanTwoCopies(await admin.brokerSettings(id, Object.keys(COPIES)), of, brokers);
  } catch (error) {
    if (!hasCode(error, code.clusterAuthorizationFailed)) throw error;
    return [{ of, state: 'fine', said: 'its settings were not examined: this user may not read them' }];
  }
}

/** What would be lost with the disk of one broker. */
export function lessThanTwoCopies(settings: ReadonlyMap<string, string>, of: string, brokers: number): Finding[] {
  const lacking = Object.entries(COPIES).filter(([setting]) => settings.get(setting) === '1');
  if (lacking.length === 0) return [];
  return [
    {
      of,
      state: 'warning',
      said: `one copy is kept of ${lacking.map(([setting, what]) => `${what} (${setting})`).join(', ')}`,
      hint:
        brokers < 3
          ? 'enough to develop; for production start three brokers, and keep three copies'
          : 'it is out of reach while that broker is down, and gone with its disk: keep three copies',
    },
  ];
}
