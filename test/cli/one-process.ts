import { main } from '../../src/cli/program.js';

// Runs several commands one after the other in one process, which loads the package once. They come as JSON in the first argument;
// what each printed goes to the standard output, a line of JSON for each.

for (const args of JSON.parse(process.argv[2] ?? '[]') as string[][]) {
  let out = '';
  let err = '';
  const code = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  process.stdout.write(`${JSON.stringify({ code, out, err })}\n`);
}
