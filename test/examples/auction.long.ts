import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { deaths, replicas, type Send, until, weather } from './storm.ts';

interface Bid {
  readonly bidder: string;
  readonly amount: number;
}
interface Lot {
  readonly state: string;
  readonly highest: Bid | null;
}

const lots = Array.from({ length: 10 }, (_, index) => `lot-${index}`);

/** The lots as each replica knows them. */
const lotsAt = (send: Send, lot: string): Promise<Lot[]> =>
  Promise.all(replicas.map((replica) => send({ path: `/lots/${lot}`, replica }))).then((answers) =>
    answers.map(({ body }) => body),
  );

test(`auction: five replicas, 2 s lag, ${deaths} kills: the winner is the highest acknowledged bid, at all replicas`, async () => {
  const bids = new Map<string, Bid[]>(lots.map((lot) => [lot, []]));
  const seen = { asked: 0, acknowledged: 0, tooLow: 0, unknown: 0 };
  await weather({
    app: 'auction',
    environment: { ADMIN_TOKEN: 'dev-admin' },
    // After the last death two hours have passed.
    lateEdits: [['workflows/lot.yaml', 'now()', '(now() + 7200000)']],
    async prepare(send) {
      const body = { title: 'A lot', reserve: 1, ends: new Date(Date.now() + 3_600_000).toISOString() };
      const headers = { authorization: 'Bearer dev-admin' };
      for (const lot of lots) await send({ method: 'PUT', path: `/lots/${lot}`, headers, body, replica: 1 });
      await until(
        () => lotsAt(send, lots.at(-1) ?? ''),
        (known) => known.every(({ state }) => state === 'open'),
      );
    },
    async work(send, worker) {
      seen.asked += 1;
      const lot = lots[randomInt(lots.length)] ?? '';
      const offer = { bidder: `bidder-${worker}-${seen.asked}`, amount: seen.asked + randomInt(500) };
      const { status } = await send({ path: `/lots/${lot}/bids`, body: offer });
      if (status === 201) {
        bids.get(lot)?.push(offer);
        seen.acknowledged += 1;
      } else if (status === 0) seen.unknown += 1;
      else seen.tooLow += 1;
    },
    async check(send) {
      for (const lot of lots) {
        const said = await until(
          () => lotsAt(send, lot),
          (known) => known.every((one) => one.state === 'closed' && JSON.stringify(one) === JSON.stringify(known[0])),
        );
        for (const one of said) expect(one).toEqual({ ...said[0], state: 'closed' });
        const acknowledged = bids.get(lot) ?? [];
        const highest = Math.max(0, ...acknowledged.map(({ amount }) => amount));
        const winner = said[0]?.highest ?? { amount: 0, bidder: '' };
        // A bid whose answer was lost may have been kept, and may have won; of equal bids the earlier one does.
        expect(winner.amount, lot).toBeGreaterThanOrEqual(highest);
        const equal = acknowledged.filter(({ amount }) => amount === winner.amount).map(({ bidder }) => bidder);
        if (seen.unknown === 0) expect(equal).toContain(winner.bidder);
      }
      console.log(`auction: ${deaths} kills, ${lots.length} lots, ${JSON.stringify(seen)}`);
      expect(seen.acknowledged).toBeGreaterThan(deaths);
    },
  });
});
