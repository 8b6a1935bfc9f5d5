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

/** A secret, or a function that returns it for each connection, so that a changed secret needs no restart. */
export type Credential = string | (() => string | Promise<string>);

/** TLS to the brokers, with a client certificate if they require one. Texts are PEM. */
export interface KafkaTls {
  /** The authorities that sign the brokers' certificates; by default those that Node trusts. */
  readonly ca?: Credential;
  /** This client's certificate and its private key. */
  readonly certificate?: Credential;
  readonly key?: Credential;
  /** The passphrase of the key. */
  readonly passphrase?: Credential;
  /** The name in the brokers' certificates, if it differs from their addresses. */
  readonly serverName?: string;
}

/** The SASL login of this client. */
export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: Credential;
    }
  | {
      readonly mechanism: 'oauthbearer';
      /** See `clientCredentials` for tokens from an endpoint. */
      readonly token: Credential;
    };

export interface Security {
  readonly tls?: KafkaTls | undefined;
  readonly sasl?: KafkaSasl | undefined;
}

const revealed = (credential: Credential): string | Promise<string> =>
  typeof credential === 'string' ? credential : credential();

/**
 * The client's options for one connection to `host`, with the current secrets. `onSession` gets the lifetime of the login in
 * milliseconds. The client does not: it would log in again between requests in flight, and brokers close the connection then.
 */
export async function connectionOptions(
  { tls, sasl }: Security,
  host: string,
  onSession: (lifetimeMs: number) => void,
): Promise<ConnectionOptions> {
  const name = tls?.serverName ?? (isIP(host) ? undefined : host); // a certificate has no name that is an address
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
      // A refused token is answered with a reason and without an error code.
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
