/** Does work while no batch goes to a worker; `tell` says when that begins and ends. */
export type Reserve = <T>(tell: (isReserved: boolean) => void, work: () => Promise<T>) => Promise<T>;

/**
 * Reserves workers for long work, in the order of the calls. One of several is reserved at a time, so that the others score;
 * one that is alone is never reserved, since rows would wait for nothing.
 */
export function reservations(workers: number): Reserve {
  let before: Promise<unknown> = Promise.resolve();
  return (tell, work) => {
    if (workers === 1) return work();
    const done = before.then(async () => {
      tell(true);
      try {
        return await work();
      } finally {
        tell(false);
      }
    });
    before = done.catch(() => {});
    return done;
  };
}
