import { MillraceError } from '../../core/errors.js';
import type { SchemaRegistry, SchemaText } from '../../core/schema.js';
import { compareSchemas } from '../../schema/compare/index.js';
import type { Store } from './store.js';

/** The versions of a subject: their ids, and the text of the newest. */
interface Versions {
  readonly ids: readonly number[];
  readonly newest: SchemaText;
}

/**
 * A registry that also keeps in the store every schema it gives an id to: the log stays readable when a later version
 * of the program has another schema and the one that wrote it is gone from the source tree.
 *
 * A new version of a subject must be able to read what was written with the newest one (BACKWARD), as a Confluent registry
 * demands by default.
 *
 * @throws MillraceError `schema`, permanent, for a version that cannot, with the reasons.
 */
export function keptSchemas(store: Store, registry: SchemaRegistry): SchemaRegistry {
  const versionsOf = (subject: string): Versions | undefined => {
    const kept = store.schemas.get(versionsKey(subject));
    return typeof kept === 'string' ? (JSON.parse(kept) as Versions) : undefined;
  };
  return {
    async idOf(subject, schema) {
      const id = await registry.idOf(subject, schema);
      const versions = versionsOf(subject);
      const isNewVersion = versions?.ids.includes(id) !== true;
      if (versions && isNewVersion) mustRead(subject, versions.newest, schema);
      const kept = store.schemas.get(id);
      const isPlain = schema.format === 'avro' && schema.references.length === 0;
      const isKept = kept !== undefined && isSame(schemaOf(kept), schema);
      const next: Versions = { ids: [...(versions?.ids ?? []), id], newest: schema };
      await store.commit([
        ...(isKept ? [] : [{ table: store.schemas, key: id, value: isPlain ? schema.text : schema }]),
        ...(isNewVersion ? [{ table: store.schemas, key: versionsKey(subject), value: JSON.stringify(next) }] : []),
      ]);
      return id;
    },
    knownIdOf: (subject, schema) => registry.knownIdOf(subject, schema),
    async schemaOf(id) {
      const kept = store.schemas.get(id);
      return kept === undefined ? registry.schemaOf(id) : schemaOf(kept);
    },
    async latest(subject) {
      const versions = versionsOf(subject);
      return versions && { version: versions.ids.length, schema: versions.newest };
    },
  };
}

const versionsKey = (subject: string): string => `versions of ${subject}`;

function mustRead(subject: string, before: SchemaText, after: SchemaText): void {
  const reasons =
    before.format === after.format
      ? compareSchemas(before, after).backward
      : [`it is ${after.format}, and was ${before.format}`];
  if (reasons.length === 0) return;
  throw new MillraceError('schema', `the new version of ${subject} cannot read what is stored: ${reasons.join('; ')}`, {
    where: subject,
    hint: 'give new fields a default, keep the types of others, or write to another topic',
    permanent: true,
  });
}

const schemaOf = (kept: string | SchemaText): SchemaText =>
  typeof kept === 'string' ? { format: 'avro', text: kept, references: [] } : kept;

const isSame = (a: SchemaText, b: SchemaText): boolean =>
  a.text === b.text && JSON.stringify(a.references) === JSON.stringify(b.references);
