/** What every server of the benchmark reads and answers. */
export interface Spin {
  readonly user: string;
}

export interface SpinAnswer {
  readonly won: boolean;
  readonly user: string;
  readonly left: number;
}

export interface Count {
  readonly spins: number;
}

/** The stock that every server starts with: more than a run can take. */
export const stock = 1_000_000_000;

/** Tells the parent process where this server listens. */
export const ready = (port: number): void => {
  process.send?.({ port });
};
