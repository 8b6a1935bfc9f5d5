import { avro } from '../../src/schema/index.js';

/** Somebody has registered. */
export interface Person {
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  readonly dateTime: number;
}

export const PersonV1 = avro<Person>({
  subject: 'nexmark.person.v1-value',
  file: new URL('./person.avsc', import.meta.url),
});
