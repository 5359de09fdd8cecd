/** Requests pass through a gate. While it is shut they wait; shutting it waits for those inside. */
export interface Gate {
  pass<T>(work: () => T | Promise<T>): Promise<T>;
  /** Runs `work` while nobody is inside. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(): Gate {
  const inside = new Set<Promise<unknown>>();
  let shut: Promise<unknown> | null = null;
  return {
    async pass(work) {
      while (shut !== null) await shut;
      const passing = Promise.resolve(work());
      const settled: Promise<unknown> = passing.then(
        () => inside.delete(settled),
        () => inside.delete(settled),
      );
      inside.add(settled);
      return passing;
    },
    async alone(work) {
      while (shut !== null) await shut;
      const done = Promise.all(inside).then(work);
      shut = done
        .catch(() => {})
        .then(() => {
          shut = null;
        });
      return done;
    },
  };
}
