import { expect, test } from 'vitest';
import { deaths, replicas, until, weather } from './storm.ts';

const lot = { path: '/lots/vase' };

test(`auction: five replicas, 2 s lag, ${deaths} kills: the winner is the highest acknowledged bid, at all replicas`, async () => {
  const bids: { readonly bidder: string; readonly amount: number }[] = [];
  const seen = { asked: 0, tooLow: 0, closed: 0, unknown: 0 };
  await weather({
    app: 'auction',
    environment: { ADMIN_TOKEN: 'dev-admin' },
    // A minute that is four seconds: bids go on for as long as they come.
    edits: [
      ['workflows/bid.yaml', "duration('1m')", "duration('4s')"],
      ['workflows/lot.yaml', "duration('10s')", "duration('4s')"],
    ],
    async prepare(send) {
      const body = { title: 'A vase', reserve: 1, ends: new Date(Date.now() + 20_000).toISOString() };
      await send({ method: 'PUT', ...lot, headers: { authorization: 'Bearer dev-admin' }, body, replica: 1 });
      const known = () => Promise.all(replicas.map((replica) => send({ ...lot, replica })));
      await until(known, (answers) => answers.every(({ status }) => status === 200));
    },
    async work(send, worker) {
      seen.asked += 1;
      const offer = { bidder: `bidder-${worker}-${seen.asked}`, amount: seen.asked + (worker % 4) * 10 };
      const { status, body } = await send({ path: '/lots/vase/bids', body: offer });
      if (status === 201) bids.push(offer);
      else if (status === 0) seen.unknown += 1;
      else seen[body.type === 'lot-closed' ? 'closed' : 'tooLow'] += 1;
    },
    async check(send) {
      const all = async () => (await Promise.all(replicas.map((replica) => send({ ...lot, replica })))).map(({ body }) => body);
      const same = (list: readonly { state: string; highest: unknown }[]) =>
        list.every((one) => one.state === 'closed' && JSON.stringify(one.highest) === JSON.stringify(list[0]?.highest));
      const said = await until(all, same);
      for (const one of said) expect(one).toEqual({ ...said[0], state: 'closed' });
      const winner: { amount: number; bidder: string } = said[0].highest;
      const highest = Math.max(...bids.map(({ amount }) => amount));
      expect(winner.amount).toBeGreaterThanOrEqual(highest);
      const equal = bids.filter(({ amount }) => amount === winner.amount).map(({ bidder }) => bidder);
      // Of equal bids the earlier one wins, and that may be one whose answer was lost.
      if (seen.unknown === 0) expect(equal).toContain(winner.bidder);
      console.log(
        `auction: ${deaths} kills, ${bids.length} bids acknowledged, ${JSON.stringify(seen)}, won by ${JSON.stringify(winner)}`,
      );
      expect(bids.length).toBeGreaterThan(deaths);
    },
  });
});
