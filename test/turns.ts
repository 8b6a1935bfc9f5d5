/**
 * Measures how much CPU the longest turn of the loop takes, in milliseconds, until it is stopped. CPU time of the process and
 * not time: a machine that is busy with others makes no turn longer.
 *
 * @example
 * const turn = longestTurn();
 * await work();
 * expect(turn.stop()).toBeLessThan(100);
 */
export function longestTurn(): { stop(): number } {
  let longest = 0;
  let before = process.cpuUsage();
  const look = () => {
    const { user, system } = process.cpuUsage(before);
    longest = Math.max(longest, (user + system) / 1_000);
    before = process.cpuUsage();
  };
  let next = setImmediate(function again() {
    look();
    next = setImmediate(again);
  });
  return {
    stop() {
      clearImmediate(next);
      look();
      return longest;
    },
  };
}
