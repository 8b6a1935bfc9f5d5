export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Parses `host:port`; the port is required. */
export function parseAddress(text: string): Address | undefined {
  const match = /^\[?([^\]\s]+?)\]?:(\d{1,5})$/.exec(text.trim());
  if (!match) return undefined;
  return { host: match[1] as string, port: Number(match[2]) };
}

export const addressText = ({ host, port }: Address): string => `${host}:${port}`;
