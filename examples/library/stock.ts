// Three vouchers, at most one per user, never a fourth: also across a crash, and with other locations cut off. Data: ./data
import { openReplica } from 'cffbrw/node';

const replica = await openReplica({ variables: { vouchers: { strategy: 'bounded-counter', initial: 3 } } });
for (const user of ['ann', 'bob', 'ann', 'cat', 'dan']) {
  const { ok, reason, left, repeated } = await replica.variable('vouchers').take(1, { once: user });
  console.log(user, ok ? `won${repeated ? ' already' : ''}, ${left} left` : reason);
}
// → ann won, 2 left
// → bob won, 1 left
// → ann won already, 1 left
// → cat won, 0 left
// → dan exhausted
await replica.close();
