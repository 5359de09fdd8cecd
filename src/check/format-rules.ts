/** What each rule is about, in a sentence: for SARIF, and for the table of docs/check.md. */
import type { RuleId } from './finding.ts';

export const ruleTexts: Readonly<Record<RuleId, string>> = {
  R0: 'A waiver that waives nothing, or does not say why',
  R1: 'A write made of a read of what it writes: of two at the same time one is lost',
  R2: 'A decision on a value controls a write of it, and is wrong by the time of the write',
  R3: 'A decision on a count controls an answer or an outbound call, and the count may be old',
  R4: 'Several workflows write one last-write-wins variable: the last one wins over the others',
  R5: 'Branches or iterations of one run write one last-write-wins variable: one of them wins',
  R6: 'A take whose `ok` nobody tests, or whose receipt is used where ok is not proven',
  R7: 'An operation that the strategy of the variable does not have',
  R8: 'A step that is retried and may then happen twice',
  R9: 'A secret flows into an answer, a log or a variable',
  R10: 'No strategy is declared, so it is last-write-wins',
};
