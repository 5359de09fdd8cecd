/** A large app: many workflows of twenty steps, as people write them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const app = `cffbrw: 1
app: large
variables:
  stock: { strategy: bounded-counter, initial: 1000000 }
  visits: { strategy: sum-increments, keyed: true }
  banner: { strategy: last-write-wins, initial: { title: Hello, open: true, odds: 0.5 } }
  profile: { strategy: merge-objects, keyed: true }
  best: { strategy: max-value }
`;

/** Twenty steps, those inside others included. */
const workflow = (number: number): string => `cffbrw: 1
workflow: spin-${number}
on:
  http:
    method: POST
    path: /wheels/${number}/spin
    body:
      type: object
      required: [user]
      properties: { user: { type: string, minLength: 1, maxLength: 64 }, amount: { type: integer, default: 1 } }
steps:
  - fail: { status: 409, type: banner-closed, title: The banner is paused }
    when: "!vars.banner.open"
  - let: { user: "\${ lower(request.body.user) }", amount: "\${ request.body.amount ?? 1 }" }
  - add: visits
    key: \${ user }
  - fail: { status: 429, type: too-often, title: Come back tomorrow }
    when: vars.visits[user] > 100 && amount < ${number + 2}
    ignore: { R3: a few visits too many are accepted }
  - take: stock # decide first, promise afterwards
    once: \${ user }
    as: voucher
  - respond: { body: { won: false, reason: "\${ voucher.reason }" } }
    when: "!voucher.ok"
  - merge: profile
    key: \${ user }
    value: { lastWin: "\${ now() }", wheel: ${number} }
  - get: profile
    key: \${ user }
    as: profile
  - raise: best
    value: \${ amount }
    with: { user: "\${ user }" }
    as: offer
  - if: offer.accepted
    then:
      - let: { leader: "\${ user }" }
    else:
      - let: { leader: "\${ vars.best.with.user ?? 'nobody' }" }
  - each: "\${ [1, 2, 3] }"
    item: one
    do:
      - add: visits
        key: "\${ 'wheel-' + string(one) }"
      - return: \${ one * ${number + 1} }
    as: scaled
  - switch:
      - when: len(scaled) > 2
        do: [let: { size: many }]
    default: [let: { size: few }]
  - log: { level: debug, message: "\${ user } got \${ size }" }
  - respond:
      body:
        won: true
        code: "\${ 'W-' + slice(voucher.receipt, 0, 8) }"
        left: "\${ voucher.left }"
        leader: "\${ leader }"
        profile: "\${ profile }"
`;

/** The first one answers `POST /wheels/0/spin` as the wheel does. */
export async function writeLargeApp(directory: string, workflows: number): Promise<void> {
  await mkdir(join(directory, 'workflows'), { recursive: true });
  await writeFile(join(directory, 'cffbrw.yaml'), app);
  for (let number = 0; number < workflows; number += 1) {
    await writeFile(join(directory, 'workflows', `spin-${number}.yaml`), workflow(number));
  }
}
