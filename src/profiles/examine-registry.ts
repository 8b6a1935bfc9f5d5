import type { Finding } from '../core/connector.js';
import { MillraceError } from '../core/errors.js';
import type { SchemaRegistry } from '../core/schema.js';

/**
 * For `millrace doctor`: whether the registry answers. It is not asked if no schema is in it. If nobody knows whether one is, no
 * answer is a warning: many teams have no registry.
 *
 * @throws MillraceError `schema` if it is needed and does not answer.
 */
export async function* examineRegistry(
  registry: Pick<SchemaRegistry, 'latest'>,
  host: string,
  isNeeded: boolean | undefined,
): AsyncGenerator<Finding> {
  if (isNeeded === false) return;
  const of = `the schema registry at ${host}`;
  try {
    await registry.latest('millrace-doctor'); // there need be none: what matters is the answer
    yield { of, state: 'fine', said: 'it answered' };
  } catch (error) {
    if (isNeeded || !(error instanceof MillraceError)) throw error;
    const hint =
      'schemas of Avro, Protobuf and JSON Schema need one, unless their framing is none; without them ignore this';
    yield { of, state: 'warning', said: error.message, hint };
  }
}
