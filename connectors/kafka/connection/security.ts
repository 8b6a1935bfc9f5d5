import { isIP } from 'node:net';
import {
  AuthenticationError,
  type ConnectionOptions,
  type SASLMechanismValue,
  type SASLOptions,
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
} from '@platformatic/kafka';

/** A secret, or what gives it each time a connection is made: one that changes is then taken up without a restart. */
export type Credential = string | (() => string | Promise<string>);

/** How brokers prove who they are, and this client too where they ask for it. Texts are PEM. */
export interface KafkaTls {
  /** Who signs the brokers' certificates; those that Node trusts by default. */
  readonly ca?: Credential;
  /** This client's certificate and its private key. */
  readonly certificate?: Credential;
  readonly key?: Credential;
  /** What the key is encrypted with. */
  readonly passphrase?: Credential;
  /** Name in the brokers' certificates, if it differs from their addresses. */
  readonly serverName?: string;
}

/** How this client proves who it is. */
export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: Credential;
    }
  | {
      readonly mechanism: 'oauthbearer';
      /** See `clientCredentials` for tokens of an endpoint. */
      readonly token: Credential;
    };

export interface Security {
  readonly tls?: KafkaTls | undefined;
  readonly sasl?: KafkaSasl | undefined;
}

const revealed = (credential: Credential): string | Promise<string> =>
  typeof credential === 'string' ? credential : credential();

/**
 * What the client needs for one connection to `host`, with the secrets as they are now. `onSession` is told how long
 * the broker lets the login hold, in milliseconds; the client itself is not, since it would log in again in between
 * requests that are on their way, which brokers answer by closing the connection.
 */
export async function connectionOptions(
  { tls, sasl }: Security,
  host: string,
  onSession: (lifetimeMs: number) => void,
): Promise<ConnectionOptions> {
  const name = tls?.serverName ?? (isIP(host) ? undefined : host); // an address is no name for a certificate to bear
  return {
    ...(tls ? { tls: await tlsOptions(tls) } : {}),
    ...(tls && name !== undefined ? { tlsServerName: name } : {}),
    ...(sasl ? { sasl: await saslOptions(sasl, onSession) } : {}),
  };
}

async function tlsOptions({ ca, certificate, key, passphrase }: KafkaTls) {
  const [caText, certText, keyText, passphraseText] = await Promise.all(
    [ca, certificate, key, passphrase].map((credential) => credential && revealed(credential)),
  );
  return {
    ...(caText ? { ca: caText } : {}),
    ...(certText ? { cert: certText } : {}),
    ...(keyText ? { key: keyText } : {}),
    ...(passphraseText ? { passphrase: passphraseText } : {}),
  };
}

type Authenticate = NonNullable<SASLOptions['authenticate']>;
type Answered = Parameters<Authenticate>[6];

async function saslOptions(sasl: KafkaSasl, onSession: (lifetimeMs: number) => void): Promise<SASLOptions> {
  const secret = await revealed(sasl.mechanism === 'oauthbearer' ? sasl.token : sasl.password);
  const mechanism = sasl.mechanism.toUpperCase() as SASLMechanismValue;
  const authenticate: Authenticate = (_mechanism, connection, api, _username, _password, _token, callback) => {
    const answered: Answered = (error, answer) => {
      if (error || answer === undefined) return callback(error ?? new Error('no answer'));
      // A refused token is answered with the reason and no code of an error.
      if (sasl.mechanism === 'oauthbearer' && answer.authBytes.length > 0) {
        return callback(new AuthenticationError('the broker refuses the token'));
      }
      onSession(Number(answer.sessionLifetimeMs));
      callback(null, { ...answer, sessionLifetimeMs: 0n });
    };
    if (sasl.mechanism === 'oauthbearer') saslOAuthBearer.authenticate(api, connection, secret, {}, answered);
    else if (sasl.mechanism === 'plain') saslPlain.authenticate(api, connection, sasl.username, secret, answered);
    else {
      const algorithm = sasl.mechanism === 'scram-sha-256' ? 'SHA-256' : 'SHA-512';
      const { defaultCrypto } = saslScramSha;
      saslScramSha.authenticate(api, connection, algorithm, sasl.username, secret, defaultCrypto, answered);
    }
  };
  return { mechanism, authenticate };
}
