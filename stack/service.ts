/** Where a service may put things. */
export interface Places {
  /** Data of this service: survives a stop and a start. */
  readonly data: string;
  /** Downloads, shared by every stack of this user. */
  readonly cache: string;
}

/** The command that runs a service in the foreground. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** One component of the local stack. */
export interface Service {
  readonly name: ServiceName;
  readonly title: string;
  readonly defaultPort: number;
  /** What clients are given, and the variable it goes by. */
  readonly variable: string;
  url(port: number): string;
  /** `user:password` that clients put into the URL, where the service asks for it. */
  credentials?(data: string): string;
  /** Fetches and prepares what is missing, then says how to start; `log` tells the user about what takes long. */
  prepare(places: Places, port: number, log: (line: string) => void): Promise<Launch>;
  /** Throws while it does not answer. */
  check(port: number): Promise<void>;
}

export const serviceNames = ['kafka', 'registry', 'redis', 'clickhouse', 's3'] as const;
export type ServiceName = (typeof serviceNames)[number];
