/** A key of an object literal in generated code; a plain `__proto__` would set the prototype. */
const key = (name: string): string => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name));

/**
 * Compiles a function from named parts. Engines give an object literal with fixed keys one shape, and calls of one function need no
 * lookup. Only names of fields and our own code are compiled, the names as JSON strings.
 */
export function generate<F>(parts: Readonly<Record<string, unknown>>, body: string): F {
  return new Function(...Object.keys(parts), `"use strict"; return ${body};`)(...Object.values(parts)) as F;
}

/** The text of an object literal. */
export const literal = (entries: readonly (readonly [name: string, code: string])[]): string =>
  `{ ${entries.map(([name, code]) => `${key(name)}: ${code}`).join(', ')} }`;

/** Sets a key that comes from a payload, whatever its name. */
export function setKey(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  } else target[name] = value;
}
