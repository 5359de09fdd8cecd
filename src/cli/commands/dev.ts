import { join } from 'node:path';
import { type Announcer, createAnnouncer } from '../announcing.ts';
import { command, describeError, durationMs, UsageError, wholeNumber } from '../command.ts';
import { printApp, printRequest } from '../print.ts';
import { type Running, run } from '../running.ts';
import { onStop } from '../signals.ts';
import { watchDocuments } from '../watching.ts';

export const dev = command({
  name: 'dev',
  description: 'Runs an app while you write it: reloads on save without losing state, one line per request, loopback only.',
  examples: [
    'cffbrw dev',
    'cffbrw dev examples/wheel --port 4000',
    'cffbrw dev examples/wheel --replicas 5 --lag 2s --rtt 50ms',
    "curl -H 'x-cffbrw-replica: r2' localhost:3000/…   (one certain replica; else any)",
  ],
  args: {
    dir: { type: 'positional', default: '.', description: 'The directory with cffbrw.yaml' },
    port: { type: 'string', description: 'The port; default $PORT, else 3000', valueHint: 'number' },
    data: { type: 'string', description: 'Where the data is kept; default <dir>/data', valueHint: 'directory' },
    replicas: {
      type: 'string',
      default: '1',
      description: 'So many replicas in this process, as if at so many locations',
      valueHint: 'number',
    },
    lag: {
      type: 'string',
      default: '0ms',
      description: 'How long a row takes from one replica to the others',
      valueHint: 'duration',
    },
    rtt: {
      type: 'string',
      default: '0ms',
      description: 'How long a question to the backbone takes, there and back',
      valueHint: 'duration',
    },
  },
  async run({ dir, port, data, replicas, lag, rtt }) {
    const count = wholeNumber(replicas, 'replicas', { from: 1, to: 64 });
    const [lagMs, rttMs] = [durationMs(lag, 'lag'), durationMs(rtt, 'rtt')];
    if (count === 1 && lagMs + rttMs > 0) throw new UsageError('--lag and --rtt are between replicas: add --replicas 5, say.');
    // Watching first: what is saved after it was read is seen.
    const watching = await watchDocuments(dir);
    const running = await run({
      ...{ directory: dir, host: '127.0.0.1', data: data ?? join(dir, 'data'), replicas: count, reloads: true },
      port: wholeNumber(port ?? process.env.PORT ?? '3000', 'port', { from: 0, to: 65_535 }),
      lagMs,
      rttMs,
      admin: { token: process.env.CFFBRW_TOKEN || null, loopback: true },
      onRequest: (line, replica) => printRequest(line, count === 1 ? null : replica),
    });
    // Listening for signals first: who reads that it answers may stop it at once.
    const stopped = onStop(async () => {
      watching.close();
      await running.close();
    });
    printApp(running.app, running.url);
    if (count > 1) console.log(`  replicas ${running.replicas.join(' ')}; rows take ${lag}, registers ${rtt}`);
    const announcer = createAnnouncer(dir);
    watching.start(() => reload(running, announcer));
    await announcer.announce(running.app);
    await stopped;
    return 0;
  },
});

async function reload(running: Running, announcer: Announcer): Promise<void> {
  try {
    const app = await running.reload();
    console.log(`reloaded ${app.name}`);
    await announcer.announce(app);
  } catch (error) {
    console.error(`${describeError(error)}\nThe app goes on as it was before.`);
  }
}
