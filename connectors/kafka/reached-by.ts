import { contradiction, required, type Secret, secretOf, tlsOf } from '../../src/connect/secrets.js';
import type { KafkaSasl } from './connection/security.js';
import { clientCredentials } from './connection/token.js';
import type { KafkaOptions } from './open.js';
import type { KafkaSettings } from './settings.js';

type Brokers = Pick<KafkaOptions, 'brokers' | 'clientId' | 'compression' | 'replication' | 'rack' | 'tls' | 'sasl'>;

/**
 * The options for the cluster from the settings.
 *
 * @throws MillraceError `config` if settings contradict each other or one is missing.
 */
export function kafkaOptions(config: KafkaSettings): Brokers {
  const { kafka, kafkaClientId: clientId, kafkaCompression: compression, kafkaReplication: replication } = config;
  const { kafkaRack: rack } = config;
  const isOn = config.kafkaTls === 'yes';
  const tls = tlsOf(config, 'kafka', { isOn, hint: 'set kafkaTls to yes' });
  const passphrase = config.kafkaKeyPassphrase;
  const sasl = saslOf(config);
  return {
    brokers: kafka.split(',').map((broker) => broker.trim()),
    clientId,
    compression,
    ...(rack === '' ? {} : { rack }),
    ...(replication === 0 ? {} : { replication }),
    ...(isOn ? { tls: { ...tls, ...(passphrase === '' ? {} : { passphrase }) } } : {}),
    ...(sasl ? { sasl } : {}),
  };
}

function saslOf(config: KafkaSettings): KafkaSasl | undefined {
  const { kafkaSasl: mechanism, kafkaUser: username } = config;
  if (mechanism === 'none') {
    if (username === '') return undefined;
    throw contradiction('kafkaUser', 'it has no effect without a SASL mechanism', 'set kafkaSasl');
  }
  if (mechanism === 'oauthbearer') return { mechanism, token: tokenOf(config) };
  if (username === '') throw contradiction('kafkaSasl', 'kafkaUser is missing', 'set it to the user');
  const password = secretOf(config, 'kafkaPassword', 'kafkaPasswordFile');
  return { mechanism, username, password: required(password, 'kafkaSasl', 'kafkaPassword') };
}

function tokenOf(config: KafkaSettings): Secret {
  const { kafkaTokenUrl: url, kafkaTokenClient: clientId, kafkaTokenScope: scope } = config;
  const given = secretOf(config, 'kafkaToken', 'kafkaTokenFile');
  if (url === '') return required(given, 'kafkaSasl', 'kafkaToken');
  if (given !== undefined) throw contradiction('kafkaTokenUrl', 'a token is set too', 'set only one of the two');
  if (clientId === '') throw contradiction('kafkaTokenUrl', 'kafkaTokenClient is missing', 'set it to the client id');
  const secret = secretOf(config, 'kafkaTokenSecret', 'kafkaTokenSecretFile');
  const clientSecret = required(secret, 'kafkaTokenUrl', 'kafkaTokenSecret');
  return clientCredentials({ url, clientId, clientSecret, ...(scope === '' ? {} : { scope }) });
}
