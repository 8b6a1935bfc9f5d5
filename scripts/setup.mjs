// Installs what tests, the stack and drills need: `npm run setup`, on Debian or Ubuntu (as root) and macOS.
import { install, programs } from './programs.mjs';

if (process.argv.includes('--help')) {
  console.log(`npm run setup

Installs, where they are missing, the programs that tests, the stack and drills need: ${programs.map(({ name }) => name).join(', ')}.
On Debian or Ubuntu as root, by apt-get and pip; on macOS by Homebrew and pip. Elsewhere it names them.`);
} else process.exitCode = install() ? 0 : 1;
