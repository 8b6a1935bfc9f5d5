import type { SchemaRegistry } from '../../src/core/schema.js';
import type { Store } from './store.js';

/**
 * A registry that also keeps in the store every schema it gives an id to: the log stays readable when a later version
 * of the program has another schema and the one that wrote it is gone from the source tree.
 */
export function keptSchemas(store: Store, registry: SchemaRegistry): SchemaRegistry {
  return {
    async idOf(subject, definition) {
      const id = await registry.idOf(subject, definition);
      if (store.schemas.get(id) !== definition) {
        await store.commit([{ table: store.schemas, key: id, value: definition }]);
      }
      return id;
    },
    definitionOf: async (id) => store.schemas.get(id) ?? (await registry.definitionOf(id)),
  };
}
