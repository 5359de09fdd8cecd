/**
 * A process that compiles mutated documents, or compiles and evaluates mutated expressions, until it is through: `child <kind> <seed>
 * <count>`. It tells its parent after every batch, so that a hang is seen, and which inputs took long.
 */
import fc from 'fast-check';
import { createApp, loadApp } from '../../src/app.ts';
import { CffbrwError } from '../../src/error.ts';
import { mutatedSource, runInText, runMutant } from '../expression/mutants.ts';
import { app, mutatedDocument, mutatedSteps, mutatedTexts } from './mutants.ts';

export interface Batch {
  readonly seed: number;
  readonly done: number;
  /** How many compiled, and gave a value. */
  readonly good: number;
  /** The longest that one took. */
  readonly worstMs: number;
  readonly slow: readonly { readonly input: string; readonly tookMs: number }[];
}

export const limitMs = 100;
const batchSize = 500;

type Work = () => void;
interface Case {
  readonly input: string;
  readonly work: Work;
}

const documents: fc.Arbitrary<Case> = fc.oneof(
  { weight: 6, arbitrary: mutatedTexts.map((texts) => caseOf(texts, () => loadApp(filesOf(texts)))) },
  { weight: 6, arbitrary: mutatedSteps.map((data) => caseOf(data, () => createApp([app, data]))) },
  { weight: 1, arbitrary: mutatedDocument.map((data) => caseOf(data, () => createApp([app, data]))) },
  {
    weight: 3,
    arbitrary: mutatedSteps.map((data) => {
      const texts = { app: JSON.stringify(app), workflow: JSON.stringify(data, null, 1) };
      return caseOf(texts, () => loadApp(filesOf(texts)));
    }),
  },
);

const expressions: fc.Arbitrary<Case> = mutatedSource.map((source) =>
  caseOf(source, () => {
    attempt(() => runInText(`x \${ ${source} } \${ ${source}`, 100_000));
    attempt(() => runInText(`\${ ${source} }`, 100_000));
    runMutant(source, 100_000);
  }),
);

const codes = new Set(['INVALID_APP', 'INVALID_EXPRESSION', 'EXPRESSION_FAILED', 'EXPRESSION_COST']);

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof CffbrwError && codes.has(error.code)) return undefined;
    throw error;
  }
}

const caseOf = (input: unknown, work: Work): Case => ({ input: typeof input === 'string' ? input : JSON.stringify(input), work });
const filesOf = ({ app: text, workflow }: { app: string; workflow: string }) => [
  { path: 'cffbrw.yaml', text },
  { path: 'w.yaml', text: workflow },
];

/** Time that this process had, so that a busy machine makes nothing slow; to ask for it takes a while itself. */
function processTime(work: Work): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function clockTime(work: Work): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function runBatch(kind: string, seed: number, size: number): Batch {
  let [good, worstMs] = [0, 0];
  const slow: { input: string; tookMs: number }[] = [];
  for (const { input, work } of fc.sample(kind === 'documents' ? documents : expressions, { numRuns: size, seed })) {
    const once = () =>
      attempt(() => {
        work();
        return true;
      });
    let compiled: boolean | undefined;
    try {
      let tookMs = clockTime(() => {
        compiled = once();
      });
      // The collector's time is nobody's: what is slow is slow each time.
      for (let again = 0; again < 3 && tookMs > limitMs; again++) tookMs = Math.min(tookMs, processTime(once));
      worstMs = Math.max(worstMs, tookMs);
      if (tookMs > limitMs) slow.push({ input, tookMs });
    } catch (error) {
      throw new Error(`seed ${seed}: ${input}`, { cause: error });
    }
    if (compiled) good += 1;
  }
  return { seed, done: size, good, worstMs, slow };
}

const [kind = '', seed, count] = process.argv.slice(2);
for (let done = 0, batch = 0; done < Number(count); done += batchSize, batch++) {
  const size = Math.min(batchSize, Number(count) - done);
  process.send?.(runBatch(kind, Number(seed) + batch, size));
}
process.disconnect?.();
