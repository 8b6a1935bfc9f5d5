import { makeCertificates } from './certificates.js';
import { OwnBroker } from './own-broker.js';

/** Passwords of the test broker; that no error and no log holds them is part of what is tested. */
export const secrets = { password: 'p4ss-w:rd@of/alice', wrong: 'wr0ng-passw0rd' } as const;

const MECHANISMS = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER';
const jaas = (listener: string) => `\
listener.name.${listener}.sasl.enabled.mechanisms=${MECHANISMS}
listener.name.${listener}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_alice="${secrets.password}";
listener.name.${listener}.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.${listener}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.${listener}.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
listener.name.${listener}.scram-sha-256.connections.max.reauth.ms=2000
`;

/**
 * A broker as it stands in a company: TLS that asks for client certificates, SASL over TLS and without. Logins by
 * SCRAM-SHA-256 hold for two seconds. Its tokens are unsigned, as Kafka's own validator for tests takes them.
 */
export const securedBroker = (): Promise<OwnBroker> =>
  OwnBroker.start(
    {
      listeners: [
        { name: 'MTLS', protocol: 'SSL' },
        { name: 'SECURE', protocol: 'SASL_SSL' },
        { name: 'LOGIN', protocol: 'SASL_PLAINTEXT' },
      ],
      scram: ['256', '512'].map((bits) => `SCRAM-SHA-${bits}=[name=alice,password="${secrets.password}"]`),
      settings: (folder) => `\
ssl.keystore.type=PEM
ssl.keystore.location=${folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=${folder}/ca.pem
listener.name.mtls.ssl.client.auth=required
${jaas('secure')}${jaas('login')}`,
    },
    makeCertificates,
  );

/** A token that Kafka's validator for tests takes. */
export function unsignedToken(lifeSeconds: number, subject = 'alice'): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowSeconds = Date.now() / 1_000;
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: nowSeconds, exp: nowSeconds + lifeSeconds })}.`;
}
