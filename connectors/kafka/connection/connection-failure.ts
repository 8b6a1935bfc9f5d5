import { AuthenticationError, NetworkError, ProtocolError, TimeoutError, UserError } from '@platformatic/kafka';
import { MillraceError } from '../../../src/core/errors.js';
import { code, hasCode, unreachable } from '../protocol/broker-error.js';
import { type Address, addressText } from './address.js';
import type { Security } from './security.js';
import { NoToken } from './token.js';

/** All errors in a chain of causes, the outermost first. */
function* causesOf(error: unknown): Generator<Error & { readonly code?: unknown }> {
  for (let each = error; each instanceof Error; each = each.cause) yield each;
}

/** The name that Node gives a TLS error, such as `CERT_HAS_EXPIRED`. */
const tlsCodeOf = (error: unknown): string =>
  [...causesOf(error)].map((each) => String(each.code)).find((text) => tlsHints.some(([known]) => known.test(text))) ??
  '';

/** Messages and hints for the error codes of Node and OpenSSL. */
const tlsHints: readonly (readonly [code: RegExp, message: string, hint: string])[] = [
  [
    /SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF|UNABLE_TO_GET_ISSUER/,
    "the broker's certificate is signed by nobody that is trusted",
    "set kafkaCa to the PEM file of who signs the brokers' certificates",
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    "the broker's certificate bears another name than its address",
    'reach the brokers by the name in their certificates, or set kafkaServerName to it',
  ],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    "the broker's certificate is out of date",
    'renew it, or set the clock right',
  ],
  [
    /ALERT_(BAD_CERTIFICATE|CERTIFICATE_REQUIRED|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|HANDSHAKE_FAILURE|ACCESS_DENIED)/,
    "the broker refuses this client's certificate, or the want of one",
    'set kafkaCert and kafkaKey to a certificate that the broker trusts',
  ],
  [
    /ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG/,
    'what answers does not speak TLS',
    'take the port of a TLS listener, or set kafkaTls to no',
  ],
  [
    /ERR_OSSL|ERR_CRYPTO|BAD_DECRYPT|ERR_SSL_KEY_VALUES_MISMATCH|ERR_SSL_(CA|EE)_KEY_TOO_SMALL/,
    'the certificate or the key of this client cannot be used',
    'kafkaCert and kafkaKey must be PEM and belong together; an encrypted key needs MILLRACE_KAFKA_KEY_PASSPHRASE',
  ],
];

/**
 * Explains a failed connection that would fail again: a refused login or certificate, TLS on a port without it. `undefined` for
 * failures that may pass.
 */
export function refusalOf(error: unknown, address: Address, { sasl }: Security): MillraceError | undefined {
  const where = addressText(address);
  const of = (message: string, hint: string) =>
    new MillraceError('config', message, { where, hint, permanent: true, cause: error });
  const causes = [...causesOf(error)];
  const own = causes.find((each) => each instanceof MillraceError);
  if (own) return own as MillraceError;

  const tlsCode = tlsCodeOf(error);
  const known = tlsHints.find(([pattern]) => pattern.test(tlsCode));
  if (known) return of(`${known[1]} (${tlsCode})`, known[2]);

  const who = sasl === undefined || sasl.mechanism === 'oauthbearer' ? 'a token' : `user '${sasl.username}'`;
  const how = sasl?.mechanism.toUpperCase();
  if (causes.some((each) => hasCode(each, code.unsupportedSaslMechanism))) {
    return of(`the broker does not take ${how} logins`, 'set kafkaSasl to a mechanism that the listener has enabled');
  }
  if (causes.some((each) => hasCode(each, code.illegalSaslState))) {
    return of('the broker needs no login on this port', 'set kafkaSasl to none, or take the port of a SASL listener');
  }
  const denied =
    causes.some((each) => hasCode(each, code.saslAuthenticationFailed)) ||
    // The client throws this for a bad answer. A connection that is lost during a login may pass.
    (causes.some((each) => each instanceof AuthenticationError) &&
      !causes.some((each) => each !== error && (each instanceof NetworkError || each instanceof TimeoutError)));
  return denied
    ? of(`the broker refuses the login by ${how} with ${who}${detailOf(causes)}`, loginHint(sasl))
    : undefined;
}

const loginHint = (sasl: Security['sasl']): string =>
  sasl?.mechanism === 'oauthbearer'
    ? 'check whether the token is for this broker, and still valid'
    : 'check kafkaUser, the password and kafkaSasl: users have passwords for each mechanism apart';

/** The broker's explanation; it names mechanisms and no secrets. */
function detailOf(causes: readonly Error[]): string {
  const errors = causes.flatMap((each) => (each instanceof AggregateError ? each.errors : [each]));
  const said = errors.find((each) => each instanceof ProtocolError && each.serverErrorMessage);
  return said ? `: ${String((said as ProtocolError & { serverErrorMessage: unknown }).serverErrorMessage)}` : '';
}

/** The first byte of a TLS alert. As the length of an answer it would mean 350 MB. */
export const TLS_ALERT = 0x15;

export const wantsTls = (address: Address): MillraceError =>
  new MillraceError('config', 'the broker uses TLS, and the client does not', {
    where: addressText(address),
    hint: 'set kafkaTls to yes, or take the port of a plain listener',
    permanent: true,
  });

/** A name that nobody knows is misspelt; the server of names may be out of reach as well. */
const noSuchHost = ({ code: why, hostname = '' }: { readonly code?: unknown; readonly hostname?: unknown }): string =>
  why === 'EAI_AGAIN'
    ? `the name of the host ${hostname} cannot be looked up now: is the network there?`
    : `there is no host ${hostname}: is its name right, and known on this machine?`;

/** The likely cause if no broker could be reached, but may be at a retry. */
export function whyUnreached(error: unknown, { tls, sasl }: Security): string {
  const causes = [...causesOf(error)];
  if (causes.some((each) => each instanceof NoToken)) return 'is kafkaTokenUrl right, and does the endpoint answer?';
  const unknown = causes.find((each) => 'syscall' in each && each.syscall === 'getaddrinfo');
  if (unknown) return noSuchHost(unknown);
  if (!(error instanceof NetworkError) || causes.some((each) => 'syscall' in each && each.syscall === 'connect')) {
    return unreachable;
  }
  // The connection was made and closed by the other side.
  if (causes.some((each) => each instanceof UserError)) {
    return 'the broker ends the connection before TLS is agreed on: is this the port of a TLS listener?';
  }
  const wants = [sasl ? '' : 'a login (kafkaSasl)', tls ? '' : 'TLS (kafkaTls)'].filter((each) => each !== '');
  const question = wants.length > 0 ? `: does this listener want ${wants.join(' or ')}?` : '';
  return `the broker ends the connection${question}`;
}
