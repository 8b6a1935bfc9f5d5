import {
  AuthenticationError,
  NetworkError,
  ProtocolError,
  ResponseError,
  TimeoutError,
  UserError,
} from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { refusalOf, wantsTls, whyUnreached } from '../../../connectors/kafka/connection/connection-failure.js';
import type { Security } from '../../../connectors/kafka/connection/security.js';
import { NoToken } from '../../../connectors/kafka/connection/token.js';
import { brokerError, isBusy, isLost, isMoved, unreachable } from '../../../connectors/kafka/protocol/broker-error.js';
import { MillraceError } from '../../../src/core/errors.js';

const broker = { host: 'broker-1', port: 9093 };
const plain: Security = { sasl: { mechanism: 'plain', username: 'ada', password: 'secret' } };
const bearer: Security = { sasl: { mechanism: 'oauthbearer', token: 'secret' } };
const coded = (code: string) => new NetworkError('lost', { cause: Object.assign(new Error('tls'), { code }) });

describe('a connection that would be refused again', () => {
  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'is signed by nobody'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'bears another name'],
    ['CERT_HAS_EXPIRED', 'is out of date'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', "refuses this client's certificate"],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS'],
    ['ERR_OSSL_BAD_DECRYPT', 'of this client cannot be used'],
  ])('by TLS, %s, is said to be so', (code, message) => {
    const refusal = refusalOf(coded(code), broker, {});
    expect(refusal).toMatchObject({ code: 'config', where: 'broker-1:9093', permanent: true });
    expect(refusal?.message).toContain(message);
    expect(refusal?.message).toContain(`(${code})`);
  });

  it('by the login is said to be so, with the words of the broker and without the secret', () => {
    const wrong = new AuthenticationError('no', {
      cause: new ResponseError(36, 2, { '/': [58, 'Authentication failed: SCRAM-SHA-256'] }, undefined),
    });
    const refusal = refusalOf(wrong, broker, plain);
    expect(refusal?.message).toBe(
      "the broker refuses the login by PLAIN with user 'ada': Authentication failed: SCRAM-SHA-256",
    );
    expect(refusal?.hint).toContain('kafkaUser');
    const token = refusalOf(new AuthenticationError('no'), broker, bearer);
    expect(token?.message).toBe('the broker refuses the login by OAUTHBEARER with a token');
    expect(token?.hint).toContain('still valid');
    expect(refusalOf(new ProtocolError('SASL_AUTHENTICATION_FAILED'), broker, plain)?.message).toContain(
      'refuses the login',
    );
  });

  it('by its mechanism, or by a port without logins, is said to be so', () => {
    expect(refusalOf(new ProtocolError('UNSUPPORTED_SASL_MECHANISM'), broker, plain)?.message).toBe(
      'the broker does not take PLAIN logins',
    );
    expect(refusalOf(new ProtocolError('ILLEGAL_SASL_STATE'), broker, plain)?.message).toBe(
      'the broker needs no login on this port',
    );
  });

  it('is told from one that may pass', () => {
    expect(refusalOf(new NetworkError('lost'), broker, plain)).toBeUndefined();
    for (const cause of [new NetworkError('lost'), new TimeoutError('late')])
      expect(refusalOf(new AuthenticationError('no', { cause }), broker, plain)).toBeUndefined();
    expect(refusalOf('no error', broker, {})).toBeUndefined();
  });

  it('for a reason of our own keeps that reason', () => {
    const own = new MillraceError('config', 'no key', {});
    expect(refusalOf(new NetworkError('lost', { cause: own }), broker, {})).toBe(own);
  });

  it('since the broker uses TLS says which port to take', () => {
    expect(wantsTls(broker)).toMatchObject({ code: 'config', where: 'broker-1:9093', permanent: true });
  });
});

describe('why no broker could be reached', () => {
  const refused = new NetworkError('lost', { cause: Object.assign(new Error('refused'), { syscall: 'connect' }) });
  const lookup = (code: string) =>
    new NetworkError('lost', {
      cause: Object.assign(new Error('lookup'), { code, syscall: 'getaddrinfo', hostname: 'kafka-1' }),
    });
  const ended = new NetworkError('ended');

  it.each<[unknown, Security, string]>([
    [refused, {}, unreachable],
    [new Error('else'), {}, unreachable],
    [
      lookup('ENOTFOUND'),
      { ...plain, tls: {} },
      'there is no host kafka-1: is its name right, and known on this machine?',
    ],
    [lookup('EAI_AGAIN'), {}, 'the name of the host kafka-1 cannot be looked up now: is the network there?'],
    [
      new NetworkError('lost', { cause: new NoToken('none') }),
      {},
      'is kafkaTokenUrl right, and does the endpoint answer?',
    ],
    [
      new NetworkError('lost', { cause: new UserError('early') }),
      { tls: {} },
      'the broker ends the connection before TLS is agreed on: is this the port of a TLS listener?',
    ],
    [ended, {}, 'the broker ends the connection: does this listener want a login (kafkaSasl) or TLS (kafkaTls)?'],
    [ended, { tls: {} }, 'the broker ends the connection: does this listener want a login (kafkaSasl)?'],
    [ended, plain, 'the broker ends the connection: does this listener want TLS (kafkaTls)?'],
    [ended, { ...plain, tls: {} }, 'the broker ends the connection'],
  ])('%s with %o', (error, security, why) => {
    expect(whyUnreached(error, security)).toBe(why);
  });
});

describe("the client's errors", () => {
  const response = (...codes: readonly number[]) =>
    new ResponseError(0, 9, Object.fromEntries(codes.map((code, i) => [`/t/${i}`, [code, `text ${code}`]])), undefined);

  it('name the codes of the broker once each, with its words and a hint', () => {
    expect(brokerError('sink', 'cannot write', response(10, 10), { where: 't' })).toMatchObject({
      ...{ code: 'sink', where: 't', permanent: true, message: 'cannot write: MESSAGE_TOO_LARGE, text 10' },
      hint: expect.stringContaining('max.message.bytes'),
    });
    expect(brokerError('source', 'x', new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION'))).toMatchObject({
      ...{
        message: 'x: UNKNOWN_TOPIC_OR_PARTITION',
        permanent: false,
        hint: expect.stringContaining('create the topic'),
      },
    });
    expect(brokerError('source', 'x', new NetworkError('lost'))).toMatchObject({
      message: 'x: lost',
      hint: unreachable,
    });
    expect(brokerError('source', 'x', new Error('odd'))).toMatchObject({ message: 'x: odd', hint: undefined });
    const own = new MillraceError('config', 'own', {});
    expect(brokerError('source', 'x', own)).toBe(own);
  });

  it.each([10, 18, 23, 26, 29, 30, 32, 50, 53, 87])('of code %i stay until somebody changes something', (code) => {
    const { permanent, hint } = brokerError('sink', 'x', response(code));
    expect([permanent, hint === undefined]).toEqual([true, code === 87]);
  });

  it('may pass: connections, leaders, coordinators', () => {
    const kinds = (error: unknown) => [isLost(error), isMoved(error), isBusy(error)];
    for (const error of [new NetworkError('x'), new TimeoutError('x')])
      expect(kinds(error)).toEqual([true, false, false]);
    for (const code of [5, 6, 7, 9, 19, 20, 56, 74, 75, 78])
      expect(kinds(response(code))).toEqual([false, true, false]);
    for (const code of [14, 15, 16, 51, 88]) expect(kinds(response(code))).toEqual([false, false, true]);
    expect(kinds(response(29))).toEqual([false, false, false]);
    expect(kinds(new Error('x'))).toEqual([false, false, false]);
  });
});
