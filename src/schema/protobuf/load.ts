import protobufjs from 'protobufjs';
import descriptor, { type IDescriptorProto } from 'protobufjs/ext/descriptor.js';
import type { SchemaText } from '../../core/schema.js';

/** A message of a file with its nested messages, in the order that message indexes count. */
export interface DeclaredMessage {
  readonly name: string;
  readonly nested: readonly DeclaredMessage[];
}

/**
 * Parses a `.proto` text with its imports. Google's well-known types are always available.
 *
 * @throws Error of the parser, for an unknown name, or for a missing import.
 */
export function loadRoot(schema: SchemaText): protobufjs.Root {
  const root = new protobufjs.Root();
  addFile(root, schema, new Set());
  root.resolveAll();
  return root;
}

function addFile(root: protobufjs.Root, schema: SchemaText, seen: Set<string>): void {
  for (const { name, schema: imported } of schema.references) {
    if (seen.has(name)) continue;
    seen.add(name);
    addFile(root, imported, seen);
  }
  const { imports = [] } = protobufjs.parse(schema.text, root, { alternateCommentMode: true, keepCase: true });
  for (const name of imports) {
    if (seen.has(name) || name.startsWith('confluent/')) continue; // of the latter nothing but annotations is used
    seen.add(name);
    if (!addWellKnown(root, name)) throw new Error(`it imports "${name}", which is nowhere`);
  }
}

/** Adds one of Google's own files: those of the library, and those that only annotate. */
function addWellKnown(root: protobufjs.Root, name: string): boolean {
  if (name === 'google/protobuf/descriptor.proto') {
    const own = descriptor.FileDescriptorProto.parent;
    if (own !== null) root.addJSON({ google: { nested: { protobuf: own.toJSON() } } });
    return true;
  }
  const known = protobufjs.common.get(name) as { readonly nested?: Record<string, protobufjs.AnyNestedObject> } | null;
  if (known?.nested !== undefined) root.addJSON(known.nested);
  return known !== null || name.startsWith('google/protobuf/');
}

/**
 * The declarations of a file, without its imports: from its text, or from the descriptor in base64 that some clients register instead.
 */
function declaredIn(text: string): { readonly package: string; readonly messages: readonly DeclaredMessage[] } {
  if (/^[A-Za-z0-9+/\s]+=*\s*$/.test(text)) return fromDescriptor(Buffer.from(text, 'base64'));
  const root = new protobufjs.Root();
  const parsed = protobufjs.parse(text, root);
  const name = parsed.package ?? '';
  const namespace = name === '' ? root : root.lookup(name);
  return { package: name, messages: namespace instanceof protobufjs.Namespace ? messagesOf(namespace) : [] };
}

const messagesOf = (namespace: Pick<protobufjs.NamespaceBase, 'nestedArray'>): DeclaredMessage[] =>
  namespace.nestedArray
    .filter((nested) => nested instanceof protobufjs.Type)
    .map((type) => ({ name: type.name, nested: messagesOf(type) }));

function fromDescriptor(bytes: Buffer): ReturnType<typeof declaredIn> {
  const file = descriptor.FileDescriptorProto.decode(bytes);
  const convert = (messages: readonly IDescriptorProto[]): DeclaredMessage[] =>
    messages.map(({ name, nestedType }) => ({ name: name ?? '', nested: convert(nestedType ?? []) }));
  return { package: file.package ?? '', messages: convert(file.messageType ?? []) };
}

/** The message indexes of each message by its full name: `0`, `1.0`. */
export function indexPaths(text: string): ReadonlyMap<string, string> {
  const { package: scope, messages } = declaredIn(text);
  const paths = new Map<string, string>();
  const visit = (declared: readonly DeclaredMessage[], path: string, names: string): void => {
    declared.forEach(({ name, nested }, index) => {
      const [ownPath, ownName] = [`${path}${index}`, names === '' ? name : `${names}.${name}`];
      paths.set(ownPath, ownName);
      visit(nested, `${ownPath}.`, ownName);
    });
  };
  visit(messages, '', scope);
  return paths;
}
