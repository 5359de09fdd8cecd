/** Every rule but R7, which is the compiler's. To add one: write its file, and name it here and in `finding.ts`. */
import type { Rule } from '../report.ts';
import { branchConflict } from './branch-conflict.ts';
import { checkThenAct } from './check-then-act.ts';
import { implicitDefault } from './implicit-default.ts';
import { lostUpdate } from './lost-update.ts';
import { manyWriters } from './many-writers.ts';
import { secretLeak } from './secret-leak.ts';
import { staleDecision } from './stale-decision.ts';
import { uncheckedTake } from './unchecked-take.ts';
import { unsafeRetry } from './unsafe-retry.ts';

export const allRules: readonly Rule[] = [
  ...[lostUpdate, checkThenAct, staleDecision, manyWriters, branchConflict],
  ...[uncheckedTake, unsafeRetry, secretLeak, implicitDefault],
];
