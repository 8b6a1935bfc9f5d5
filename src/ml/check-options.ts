import { MillraceError } from '../core/errors.js';

/** Refuses options that must be above zero. */
export function requirePositive(where: string, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value > 0 && Number.isFinite(value))) throw outOfRange(where, name, value, 'give a finite number above 0');
  }
}

/** Refuses options that must not be below zero. */
export function requireNotNegative(where: string, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value >= 0 && Number.isFinite(value)))
      throw outOfRange(where, name, value, 'give 0 or a finite number above 0');
  }
}

/** Refuses options that are shares of what was before: at 1 nothing would ever be forgotten. */
export function requireShare(where: string, options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value >= 0 && value < 1)) throw outOfRange(where, name, value, 'give 0 or a number below 1');
  }
}

const outOfRange = (where: string, name: string, value: number, hint: string) =>
  new MillraceError('config', `${where}: ${name} is ${value}`, { where: `${where}.${name}`, hint });
