import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chance } from '../../src/ml/chance.js';

const SEED = 14;
const NUMBERS = 30;
const STRINGS = 10;
/** Numbers of a row in the file: features, then its label as a number, as one of two classes and as one of three. */
const WIDTH = NUMBERS + 3;
const LABELS = { number: NUMBERS, binary: NUMBERS + 1, class: NUMBERS + 2 };

/** The files that all sides read. */
export interface RowFiles {
  /** Float32 numbers, row after row. */
  readonly numbers: string;
  /** Of each row its label, 0 or 1, and ten strings, between tabs. */
  readonly strings: string;
  /** The same in Vowpal Wabbit's own format, of so many rows. */
  readonly vw: (rows: number) => string;
}

/** A row's numbers from 0 to 1, whose label is a line through ten of them, with thresholds of four others and noise. */
function numbersOf(row: number, into: Float32Array): void {
  for (let i = 0; i < NUMBERS; i++) into[i] = chance(SEED, i, row);
  const at = (i: number) => into[i] as number;
  let label = at(20) > 0.5 ? (at(21) > 0.3 ? 2 : -1) : at(22) > 0.6 ? -2 : at(23) > 0.4 ? 1 : 0;
  for (let i = 0; i < 10; i++) label += (at(i) - 0.5) * (i % 2 ? -2 : 2);
  label += 2 * (chance(SEED, NUMBERS, row) - 0.5);
  into[LABELS.number] = label;
  into[LABELS.binary] = label > 0 ? 1 : 0;
  into[LABELS.class] = label < -1 ? 0 : label < 1 ? 1 : 2;
}

/** A row's strings: few values are frequent and many are rare, and each pulls the label its own way. */
function stringsOf(row: number): { readonly label: number; readonly values: readonly string[] } {
  let score = 0;
  const values = Array.from({ length: STRINGS }, (_, i) => {
    const value = Math.floor(10 ** (1 + (i % 4)) * chance(SEED + 1, i, row) ** 3);
    score += chance(SEED + 2, i, value) - 0.5;
    return `value-${value}`;
  });
  return { label: score > chance(SEED + 1, STRINGS, row) - 0.5 ? 1 : 0, values };
}

/** Makes the rows by a seed, and writes them into a folder. */
export function writeRows(folder: string, rows: number): RowFiles {
  const all = new Float32Array(rows * WIDTH);
  for (let row = 0; row < rows; row++) numbersOf(row, all.subarray(row * WIDTH, (row + 1) * WIDTH));
  const strings = Array.from({ length: rows }, (_, row) => stringsOf(row));
  const files = { numbers: join(folder, 'numbers.f32'), strings: join(folder, 'strings.tsv') };
  writeFileSync(files.numbers, new Uint8Array(all.buffer));
  writeFileSync(files.strings, strings.map(({ label, values }) => `${[label, ...values].join('\t')}\n`).join(''));
  const vw = (count: number) => {
    const file = join(folder, `${count}.vw`);
    const lines = strings.slice(0, count).map(({ label, values }) => {
      return `${label ? 1 : -1} | ${values.map((value, i) => `f${i}=${value}`).join(' ')}\n`;
    });
    writeFileSync(file, lines.join(''));
    return file;
  };
  return { ...files, vw };
}

export interface NumberRow {
  readonly features: Float32Array;
  readonly label: number;
}

export function readNumbers(file: string, rows: number, columns: number, label: keyof typeof LABELS): NumberRow[] {
  const { buffer } = new Uint8Array(readFileSync(file));
  const all = new Float32Array(buffer);
  return Array.from({ length: rows }, (_, row) => {
    const at = row * WIDTH;
    return { features: all.subarray(at, at + columns), label: all[at + LABELS[label]] as number };
  });
}

/** Columns `f0`, `f1`, and so on. */
export type StringRow = Readonly<Record<string, string>>;

export function readStrings(file: string, rows: number, columns: number): { row: StringRow; label: number }[] {
  const lines = readFileSync(file, 'utf8').split('\n', rows);
  return lines.map((line) => {
    const [label, ...values] = line.split('\t');
    return {
      row: Object.fromEntries(values.slice(0, columns).map((value, i) => [`f${i}`, value])),
      label: Number(label),
    };
  });
}
