/** A new, empty replica: from starting its process until it answers with what the backbone holds, down to the last of many addresses. */
import { join } from 'node:path';
import { openReplica } from '../src/node/replica.ts';
import { declareAll } from '../src/replica/index.ts';
import { names, onStage, type Stage, until } from './cluster.ts';
import { atMost, type PartResult } from './figures.ts';
import { fill, keyOf } from './fill.ts';
import { measured } from './rounds.ts';

export interface ClusterJoiningParameters {
  readonly addresses: number;
  readonly rounds: number;
}

export const parameters: Record<'small' | 'large', ClusterJoiningParameters> = {
  small: { addresses: 1_000, rounds: 1 },
  large: { addresses: 100_000, rounds: 3 },
};

const limitMs = 5_000;
/** As the app of the processes declares it. */
const variables = declareAll({ sign: { strategy: 'last-write-wins', keyed: true } });

export const run = ({ addresses, rounds }: ClusterJoiningParameters): Promise<PartResult> =>
  onStage(async (stage) => {
    const backbone = await stage.database('replicas');
    await fillBackbone(stage, backbone, addresses);
    const answering: number[] = [];
    const knowing: number[] = [];
    for (let round = -1; round < rounds; round += 1) {
      const start = performance.now();
      const [replica] = await stage.replicas(1, backbone);
      const port = replica?.port ?? 0;
      const answersMs = performance.now() - start;
      const last = [keyOf(0), keyOf(addresses >> 1), keyOf(addresses - 1)];
      const knows = await until(async () => (await Promise.all(last.map((key) => isSigned(port, key)))).every(Boolean));
      if (!knows) throw new Error('a new replica did not get what the backbone holds');
      const knowsMs = performance.now() - start;
      await replica?.stop();
      if (round < 0) continue;
      answering.push(answersMs);
      knowing.push(knowsMs);
    }
    const first = measured('a new replica answers', 'ms', answering);
    const all = measured(`a new replica knows ${addresses.toLocaleString('en')} addresses`, 'ms', knowing);
    return {
      part: 'cluster-joining',
      tables: [
        {
          title: 'Joining',
          rows: [
            { name: first.name, unit: 'ms', figure: first.figure, ratios: [], targets: [] },
            { name: all.name, unit: 'ms', figure: all.figure, ratios: [], targets: [atMost(all.figure, 'ms', limitMs)] },
          ],
        },
      ],
      notes: [
        `From starting the process of ${names.ours} in an empty directory; ${rounds} rounds. It knows all when it answers with the first, the middle and the last address that was written.`,
        'There is no alternative that does this: a process that asks PostgreSQL each time holds nothing.',
      ],
      wrong: [],
    };
  });

async function fillBackbone({ directory }: Stage, backbone: string, addresses: number): Promise<void> {
  const filling = await openReplica({
    ...{ name: 'filling', variables, backbone },
    ...{ directory: join(directory, 'filling'), witness: join(directory, 'filling.witness') },
  });
  await fill(filling, { variable: 'sign', keys: addresses, operation: (number) => ({ operation: 'set', value: keyOf(number) }) });
  await filling.close();
}

const isSigned = async (port: number, key: string): Promise<boolean> =>
  (await (await fetch(`http://127.0.0.1:${port}/signed/${key}`)).text()) === '{"signed":true}';
