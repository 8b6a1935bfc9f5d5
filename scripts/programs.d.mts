export interface Program {
  readonly name: string;
  readonly apt?: string;
  readonly brew?: string;
  readonly pip?: readonly string[];
}

export const programs: readonly Program[];
export function missing(names?: readonly string[]): readonly Program[];
export function installCommands(wanted: readonly Program[], platform?: string): readonly (readonly string[])[];
export function install(): boolean;
