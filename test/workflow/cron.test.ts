/** Schedules: one run per tick for the whole app, whoever dies, lags, is cut off or has a wrong clock. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import type { KillAt } from '../../src/simulate/process.ts';
import { type CronStage, type CronStageOptions, createCronStage, type Machine, midnightMs } from './cron-stage.ts';
import { appOf, refusal, runs } from './stage.ts';

const minuteMs = 60_000;
const declarations = `cffbrw: 1
app: clock
variables:
  first: { strategy: sum-increments, keyed: true }
  second: { strategy: sum-increments, keyed: true }
`;
const workflow = (on: string, steps: string): string =>
  `cffbrw: 1\nworkflow: tick\non: ${on}\nsteps:\n${steps
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\n`;
/** Two effects, so that a run can be cut in half. */
const counting = `
- add: first
  key: \${ request.scheduled }
- wait: 2s
- add: second
  key: \${ request.scheduled }
`;
const clock = (schedule = '* * * * *', steps = counting): App =>
  appOf(declarations, workflow(`{ cron: { schedule: "${schedule}" } }`, steps));
const everyMinute = clock();

/** How often the tick of each minute after midnight has had its effects: `1 1` is right. */
async function countsOf(stage: CronStage, minutes: readonly number[]): Promise<string[]> {
  const counts: string[] = [];
  for (const minute of minutes) {
    const key = midnightMs + minute * minuteMs;
    counts.push(`${await count(stage, 'first', key)} ${await count(stage, 'second', key)}`);
  }
  return counts;
}

async function count(stage: CronStage, variable: string, key: number): Promise<unknown> {
  const { world, machines } = stage;
  const replica = machines.find(({ process }) => process.alive)?.replica;
  if (replica === undefined) throw new Error('no process is alive');
  const address = replica.address(variable, key);
  await world.runUntil(replica.load([address]));
  const slot = replica.peek(address);
  return slot === undefined ? null : replica.read(slot);
}

const stageOf = (options: Partial<CronStageOptions> = {}) => createCronStage({ app: everyMinute, seed: 'cron', ...options });

describe('one run per tick', () => {
  test('over five replicas with lag', async () => {
    const stage = await stageOf({ network: { lagMs: 2_000, rttMs: 300 } });
    await stage.world.run(3.5 * minuteMs);
    expect(await countsOf(stage, [0, 1, 2, 3, 4])).toEqual(['0 0', '1 1', '1 1', '1 1', '0 0']);
    expect(stage.logs).toEqual([]);
  });

  test('on one machine without a backbone, over a restart', async () => {
    const stage = await stageOf({ machines: 1 });
    await stage.world.run(1.5 * minuteMs);
    await stage.machines[0]?.start();
    await stage.world.run(2 * minuteMs);
    expect(await countsOf(stage, [0, 1, 2, 3, 4])).toEqual(['0 0', '1 1', '1 1', '1 1', '0 0']);
  });

  test('with clocks that differ by half a minute either way, at the time of the backbone', async () => {
    const stage = await stageOf({ skewsMs: [30_000, -30_000, 29_000, -12_000, 0], network: { lagMs: 50 } });
    await stage.world.run(55_000);
    expect(await countsOf(stage, [0, 1])).toEqual(['0 0', '0 0']);
    await stage.world.run(2.5 * minuteMs);
    expect(await countsOf(stage, [1, 2, 3, 4])).toEqual(['1 1', '1 1', '1 1', '0 0']);
  });

  test('under the loss, lag, restarts and skews of a seed', async () => {
    const fault = fc.record({
      machine: fc.nat(4),
      atMs: fc.integer({ min: 1_000, max: 200_000 }),
      downMs: fc.integer({ min: 0, max: 90_000 }),
      kind: fc.constantFrom('kill' as const, 'cut' as const, 'pause' as const),
    });
    const story = fc.record({
      seed: fc.integer(),
      skewsMs: fc.array(fc.integer({ min: -30_000, max: 30_000 }), { minLength: 5, maxLength: 5 }),
      lagMs: fc.integer({ min: 0, max: 3_000 }),
      rttMs: fc.integer({ min: 0, max: 500 }),
      faults: fc.array(fault, { maxLength: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ seed, skewsMs, lagMs, rttMs, faults }) => {
        const stage = await stageOf({ seed: String(seed), skewsMs, network: { lagMs, rttMs } });
        for (const { machine: index, atMs, downMs, kind } of faults) {
          const machine = stage.machines[index];
          if (machine === undefined) continue;
          stage.world.host('faults').after(atMs, () => {
            if (kind === 'kill') machine.process.kill();
            if (kind === 'pause') machine.process.pause();
            if (kind === 'cut') stage.loopback?.cut(machine.name);
          });
          stage.world.host('faults').after(atMs + downMs, () => {
            if (kind === 'pause') machine.process.resume();
            if (kind === 'cut') stage.loopback?.heal(machine.name);
          });
        }
        await stage.world.run(3.5 * minuteMs);
        for (const machine of stage.machines) if (!machine.process.alive) await machine.start();
        await stage.world.run(2 * minuteMs);
        const ticks = [1, 2, 3, 4, 5];
        const counts = await countsOf(stage, ticks);
        // All effects of a tick, once; a tick may be missing only where nobody could have had it.
        for (const [position, text] of counts.entries()) {
          if (position >= 3) expect(text, `minute ${ticks[position]}`).toBe('1 1');
          expect(['0 0', '1 1'], `minute ${ticks[position]}`).toContain(text);
        }
      }),
      { numRuns: runs(8) },
    );
  });
});

const whens = ['before', 'during', 'after'] satisfies KillAt['when'][];

describe('a replica that dies', () => {
  const network = { lagMs: 200, rttMs: 20 };

  /** Begins five seconds before a tick. */
  const stageAtTick = (options: Partial<CronStageOptions>) => stageOf({ network, startsMs: minuteMs - 5_000, ...options });

  async function awaitsOf(machines: number): Promise<readonly [before: number, after: number]> {
    const stage = await stageAtTick({ machines });
    const [machine] = stage.machines;
    await stage.world.run(4_500);
    const first = machine?.process.awaits ?? 0;
    await stage.world.run(4_000);
    return [first, machine?.process.awaits ?? 0];
  }

  test.each([5, 1])('at any await of a tick comes back and goes on: %i machine(s)', async (machines) => {
    const [first, last] = await awaitsOf(machines);
    let [wins, deaths] = [0, 0];
    const isShort = machines > 1 && runs(1) === 1;
    for (let at = first + 1; at <= last; at += isShort ? 2 : 1) {
      for (const when of isShort ? whens.slice(at % 3, (at % 3) + 1) : whens) {
        // Another seed each time, so that the one that dies is sometimes the one that wins.
        const stage = await stageAtTick({ machines, seed: `await ${at}`, killAt: { await: at, when } });
        await stage.world.run(7_000);
        const [machine = fail()] = stage.machines;
        if (!machine.process.alive) deaths += 1;
        await machine.start();
        await stage.world.run(10_000);
        if (machines > 1 && (await winnerOf(stage)) === machine) wins += 1;
        // A lone machine that dies before its first claim cannot know that the schedule was in force.
        const allowed = machines === 1 && at <= first + 2 ? ['0 0', '1 1'] : ['1 1'];
        expect(allowed, `await ${at} ${when}`).toContain((await countsOf(stage, [1]))[0]);
      }
    }
    expect(deaths).toBeGreaterThan(15);
    expect(wins > 5 || machines === 1).toBe(true);
  });

  test('leaves its tick to nobody and the next ones to the others, and finishes it when it comes back within the hour', async () => {
    const stage = await stageOf({ network });
    await stage.world.run(minuteMs + 1_000);
    const winner = await winnerOf(stage);
    winner.process.kill();
    await stage.world.run(2.2 * minuteMs);
    expect(await countsOf(stage, [1, 2, 3])).toEqual(['1 0', '1 1', '1 1']);
    await winner.start();
    await stage.world.run(5_000);
    expect(await countsOf(stage, [1, 2, 3])).toEqual(['1 1', '1 1', '1 1']);
  });

  test('and comes back after more than an hour leaves it, and says so', async () => {
    const stage = await stageOf({ app: clock('1 0,2 * * *'), network, machines: 2 });
    await stage.world.run(minuteMs + 1_000);
    const winner = await winnerOf(stage);
    winner.process.kill();
    await stage.world.run(61 * minuteMs);
    await winner.start();
    await stage.world.run(5_000);
    expect(await countsOf(stage, [1])).toEqual(['1 0']);
    expect(stage.logs.map(({ message }) => message)).toEqual([
      `the run of 2026-01-01T00:01:00.000Z was cut short at ${winner.replica.id}, and is not taken up again`,
    ]);
  });

  test('and comes back with an older disk does not run its tick again', async () => {
    const stage = await stageOf({ network });
    await stage.world.run(minuteMs / 2);
    const backups = stage.machines.map(({ disk }) => disk.snapshot());
    await stage.world.run(minuteMs);
    const winner = await winnerOf(stage);
    winner.process.kill();
    const backup = backups[stage.machines.indexOf(winner)];
    if (backup !== undefined) winner.disk.restore(backup);
    await winner.start();
    await stage.world.run(minuteMs);
    expect(await countsOf(stage, [1, 2])).toEqual(['1 1', '1 1']);
  });
});

test('A disk that was put back to the middle of a run does not go on with it', async () => {
  const stage = await createCronStage({ app: everyMinute, seed: 'cron', machines: 3 });
  await stage.world.run(minuteMs + 1_000);
  const winner = await winnerOf(stage);
  const middle = winner.disk.snapshot();
  await stage.world.run(10_000);
  expect(await countsOf(stage, [1])).toEqual(['1 1']);
  winner.process.kill();
  winner.disk.restore(middle);
  await winner.start();
  await stage.world.run(10_000);
  expect(await countsOf(stage, [1])).toEqual(['1 1']);
  expect(stage.logs.map(({ message }) => message)).toEqual([expect.stringContaining('was cut short')]);
});

test('A tick that could not be claimed on a full disk is claimed when there is room', async () => {
  const stage = await createCronStage({ app: clock('1 0 * * *'), seed: 'cron', machines: 1 });
  const { disk } = stage.machines[0] ?? fail();
  await stage.world.run(minuteMs / 2);
  disk.faults.full = true;
  await stage.world.run(5 * minuteMs);
  expect(await countsOf(stage, [1])).toEqual(['0 0']);
  expect(stage.logs.length).toBeLessThan(30);
  disk.faults.full = false;
  await stage.world.run(minuteMs);
  expect(await countsOf(stage, [1])).toEqual(['1 1']);
});

async function winnerOf({ world, loopback, machines }: CronStage): Promise<Machine> {
  const register = await world.runUntil((loopback ?? fail()).connect('observer').registers.get('cron/tick'));
  const { by } = JSON.parse(register.value ?? fail()) as { by: string };
  return machines.find(({ replica }) => replica.id === by) ?? fail();
}

const fail = (): never => {
  throw new Error('nobody has the tick');
};

describe('what was missed', () => {
  const missing = async (downMinutes: number, schedule: string, machines = 5) => {
    const stage = await stageOf({ app: clock(schedule), machines });
    await stage.world.run(1.5 * minuteMs);
    for (const { process } of stage.machines) process.kill();
    await stage.world.run(downMinutes * minuteMs);
    for (const machine of stage.machines) await machine.start();
    await stage.world.run(10_000);
    return stage;
  };

  test.each([5, 1])('while all were down is made up for by one run of the latest tick: %i machine(s)', async (machines) => {
    const stage = await missing(12, '*/1 * * * *', machines);
    expect(await countsOf(stage, [1, 2, 12, 13])).toEqual(['1 1', '0 0', '0 0', '1 1']);
  });

  test.each([5, 1])('more than an hour ago is left: %i machine(s)', async (machines) => {
    const stage = await missing(70, '1,2 0 * * *', machines);
    expect(await countsOf(stage, [1, 2])).toEqual(['1 1', '0 0']);
  });

  test('before the schedule was first in force, or was another, is not', async () => {
    const stage = await stageOf({ app: clock('*/2 * * * *') });
    await stage.world.run(0.5 * minuteMs);
    expect(await countsOf(stage, [0])).toEqual(['0 0']);
    await stage.world.run(2.2 * minuteMs);
    await stage.redeploy(clock('1 * * * *'));
    await stage.world.run(10_000);
    expect(await countsOf(stage, [1, 2])).toEqual(['0 0', '1 1']);
  });

  test('while the backbone was out of reach is made up for', async () => {
    const stage = await stageOf();
    await stage.world.run(1.5 * minuteMs);
    for (const { name } of stage.machines) stage.loopback?.cut(name);
    await stage.world.run(3 * minuteMs);
    expect(await countsOf(stage, [2, 3, 4])).toEqual(['0 0', '0 0', '0 0']);
    for (const { name } of stage.machines) stage.loopback?.heal(name);
    await stage.world.run(40_000);
    expect(await countsOf(stage, [2, 3, 4])).toEqual(['0 0', '0 0', '1 1']);
    expect(stage.logs).toEqual([]);
  });
});

describe('a run', () => {
  test('that is refused for now is tried again, and does nothing twice', async () => {
    const steps =
      '- add: first\n  key: ${ request.scheduled }\n- fail: { status: 503, type: t, title: Not now }\n  when: vars.second[0] === 0';
    const stage = await stageOf({ app: clock('1 0 * * *', steps), machines: 1 });
    await stage.world.run(minuteMs + 5_000);
    const { replica } = stage.machines[0] ?? fail();
    const address = replica.address('second', 0);
    await stage.world.runUntil(replica.load([address]));
    replica.update(replica.peek(address) ?? fail(), { operation: 'add', amount: 1 } as never);
    await stage.world.run(minuteMs);
    expect(await count(stage, 'first', midnightMs + minuteMs)).toBe(1);
    expect(stage.logs).toEqual([]);
  });

  test('that fails is logged, with its tick', async () => {
    const stage = await stageOf({ app: clock('* * * * *', '- fail: { status: 409, type: t, title: Never }') });
    await stage.world.run(minuteMs + 5_000);
    expect(stage.logs).toEqual([
      { level: 'error', message: 'the run of 2026-01-01T00:01:00.000Z ended with 409: Never', workflow: 'tick' },
    ]);
  });

  test('that goes on while its app stops is waited for, and nothing fires any more', async () => {
    const stage = await stageOf({ machines: 1 });
    await stage.world.run(minuteMs + 1_000);
    await stage.world.runUntil(stage.machines[0]?.cron.close() ?? fail());
    await stage.world.run(2 * minuteMs);
    expect(await countsOf(stage, [1, 2])).toEqual(['1 1', '0 0']);
  });
});

test('A schedule that is wrong is told with its place, and what only it starts cannot respond', () => {
  const on = (cron: string, steps = counting) => refusal(() => appOf(declarations, workflow(cron, steps)));
  expect(on('{ cron: { schedule: "61 * * * *" } }')).toMatch(/f2\.yaml:3:.*`61 \* \* \* \*` is no schedule/);
  expect(on('{ cron: { schedule: "* * * * *", timezone: Mars } }')).toMatch(/f2\.yaml:3:.*no time zone `Mars`/);
  expect(on('{ cron: { schedul: "* * * * *" } }')).toMatch(/no field `schedul`/);
  expect(on('{ cron: { schedule: "* * * * *" } }', '- respond: { body: 1 }')).toMatch(/that only a schedule starts/);
  expect(on('{ cron: { schedule: */5 * * * * } }')).toMatch(/quot|alias/i);
});
