import type { SchemaRegistry, SchemaText } from '../../core/schema.js';
import type { Store } from './store.js';

/**
 * A registry that also keeps in the store every schema it gives an id to: the log stays readable when a later version
 * of the program has another schema and the one that wrote it is gone from the source tree.
 */
export function keptSchemas(store: Store, registry: SchemaRegistry): SchemaRegistry {
  return {
    async idOf(subject, schema) {
      const id = await registry.idOf(subject, schema);
      const kept = store.schemas.get(id);
      if (kept === undefined || !isSame(schemaOf(kept), schema)) {
        const isPlain = schema.format === 'avro' && schema.references.length === 0;
        await store.commit([{ table: store.schemas, key: id, value: isPlain ? schema.text : schema }]);
      }
      return id;
    },
    knownIdOf: (subject, schema) => registry.knownIdOf(subject, schema),
    async schemaOf(id) {
      const kept = store.schemas.get(id);
      return kept === undefined ? registry.schemaOf(id) : schemaOf(kept);
    },
  };
}

const schemaOf = (kept: string | SchemaText): SchemaText =>
  typeof kept === 'string' ? { format: 'avro', text: kept, references: [] } : kept;

const isSame = (a: SchemaText, b: SchemaText): boolean =>
  a.text === b.text && JSON.stringify(a.references) === JSON.stringify(b.references);
