import { protocolErrorsCodesById } from '@platformatic/kafka';
import { expect, it } from 'vitest';
import { code } from '../../../connectors/kafka/protocol/broker-error.js';

/** Names of ours that are shorter than Kafka's. */
const names: Readonly<Record<string, string>> = { outOfOrderSequence: 'OUT_OF_ORDER_SEQUENCE_NUMBER' };

it.each(Object.entries(code))('%s has the number of the protocol', (name, id) => {
  expect(protocolErrorsCodesById[id]).toBe(names[name] ?? name.replaceAll(/[A-Z]/g, '_$&').toUpperCase());
});
