export interface Program {
  readonly name: string;
  readonly apt?: string;
  /** Debian 12 has it in its backports, and one that is too old elsewhere. */
  readonly backports?: boolean;
  readonly brew?: string;
  readonly pip?: readonly string[];
}

export const programs: readonly Program[];
export function missing(names?: readonly string[]): readonly Program[];
export function installCommands(
  wanted: readonly Program[],
  platform?: string,
  hasBackports?: boolean,
): readonly (readonly string[])[];
export function install(): boolean;
