import { type ParseArgsConfig, parseArgs } from 'node:util';

/** `parseArgs` for commands of the repository: an unknown option, or one without its value, ends the command with a line instead of a stack. */
export function readArguments<const Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')))
      throw error;
    const [what] = error.message.split('. ');
    process.stderr.write(`${what}; --help lists the options\n`);
    process.exit(2);
  }
}
