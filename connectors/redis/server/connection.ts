import type { Redis as Client, Command as ClientCommand, Cluster, Pipeline } from 'ioredis';
import { slotOf } from './hash-slot.js';

export type Argument = string | number | Buffer;

/** A command, and the key that selects the node of a cluster. */
export interface Keyed {
  readonly key: string;
  readonly command: readonly [name: string, ...args: Argument[]];
  /** Strings of the answer are returned as bytes. */
  readonly binary?: boolean;
}

/** A connection to one server or a cluster. It retries nothing. */
export interface Connection {
  readonly isCluster: boolean;
  /** Sends commands, one pipeline per node, and resolves with their answers in order; a failed command gives an `Error`. */
  send(commands: readonly Keyed[]): Promise<readonly unknown[]>;
  /** The same for commands of one key, as a transaction. */
  transact(commands: readonly Keyed[]): Promise<readonly unknown[]>;
  /** The nodes that can be written to. */
  masters(): readonly Client[];
  /** Waits for the answers in flight, then closes. */
  quit(): Promise<void>;
  /** Closes at once; pending calls reject. */
  disconnect(): void;
}

type MakeCommand = typeof ClientCommand;
type Result = [error: Error | null, answer: unknown];

export const single = (client: Client, Command: MakeCommand): Connection => ({
  isCluster: false,
  send: (commands) => answersOf(client.pipeline(), commands, Command),
  transact: (commands) => answersOf(client.multi(), commands, Command),
  masters: () => [client],
  quit: async () => void (await client.quit().catch(() => client.disconnect())),
  disconnect: () => client.disconnect(),
});

export function cluster(nodes: Cluster, Command: MakeCommand): Connection {
  const nodeOf = (key: string, masters: ReadonlyMap<string, Client>): Client => {
    const node = masters.get(nodes.slots[slotOf(key)]?.[0] ?? '');
    if (node) return node;
    nodes.refreshSlotsCache();
    throw new Error('Connection is closed.'); // the client's message; treated as a connection that may come back
  };
  /** Follows redirections, which a pipeline does not. */
  const sendAlone = (keyed: Keyed): Promise<unknown> => {
    const command = commandOf(keyed, Command);
    nodes.sendCommand(command);
    return command.promise.catch((error: Error) => error);
  };
  const sendTo = async (node: Client, commands: readonly Keyed[]): Promise<unknown[]> => {
    const answers = await answersOf(node.pipeline(), commands, Command);
    if (answers.some((answer) => answer instanceof Error)) nodes.refreshSlotsCache();
    return Promise.all(answers.map((answer, i) => (isElsewhere(answer) ? sendAlone(commands[i] as Keyed) : answer)));
  };
  return {
    isCluster: true,
    async send(commands) {
      const masters = new Map(nodes.nodes('master').map((node) => [nameOf(node), node]));
      const byNode = new Map<Client, number[]>();
      for (const [i, { key }] of commands.entries()) {
        const node = nodeOf(key, masters);
        const there = byNode.get(node);
        if (there) there.push(i);
        else byNode.set(node, [i]);
      }
      const answers: unknown[] = Array.from({ length: commands.length });
      await Promise.all(
        [...byNode].map(async ([node, indices]) => {
          const some = indices.map((i) => commands[i] as Keyed);
          for (const [at, answer] of (await sendTo(node, some)).entries()) answers[indices[at] as number] = answer;
        }),
      );
      return answers;
    },
    transact: (commands) => answersOf(nodes.multi(), commands, Command),
    masters: () => nodes.nodes('master'),
    quit: async () => void (await nodes.quit().catch(() => nodes.disconnect())),
    disconnect: () => nodes.disconnect(),
  };
}

const nameOf = ({ options }: Client): string => `${options.host}:${options.port}`;

/** The slot is on another node, or is being moved. */
const isElsewhere = (answer: unknown): boolean =>
  answer instanceof Error && /^(MOVED|ASK|TRYAGAIN)\b/.test(answer.message);

const commandOf = ({ command: [name, ...args], binary }: Keyed, Command: MakeCommand): ClientCommand =>
  new Command(name, args, { replyEncoding: binary ? null : 'utf8' });

/** The error of the command that caused a transaction to be discarded. */
function refuse(error: { readonly previousErrors?: readonly unknown[] }): never {
  throw error.previousErrors?.[0] ?? error;
}

/** Fills a pipeline and sends it. The methods of the pipeline do not take a long list of arguments. */
async function answersOf(
  pipeline: ReturnType<Client['pipeline']>,
  commands: readonly Keyed[],
  Command: MakeCommand,
): Promise<unknown[]> {
  // Every pipeline of ioredis has the methods of its class, but the type of `pipeline()` leaves this one out.
  const queue = pipeline as typeof pipeline & Pick<Pipeline, 'sendCommand'>;
  for (const keyed of commands) queue.sendCommand(commandOf(keyed, Command));
  const results = ((await pipeline.exec().catch(refuse)) ?? []) as Result[];
  return results.map(([error, answer]) => error ?? answer);
}
