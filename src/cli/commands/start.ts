import { join } from 'node:path';
import type { App } from '../../app.ts';
import { CffbrwError } from '../../error.ts';
import { describeTarget } from '../../node/backbone-url.ts';
import { createLog, logLevelOf } from '../../node/log.ts';
import { command, durationMs, wholeNumber } from '../command.ts';
import { printApp } from '../print.ts';
import { run, secretsOf } from '../running.ts';
import { onStop } from '../signals.ts';
import { nameArgument, siteArguments, siteOf, targetOf } from '../site.ts';

const exitBecause = (cause: CffbrwError): CffbrwError =>
  new CffbrwError(cause.code, `nothing can be written any more, so this process ends: ${cause.message}`, {
    fix: 'A supervisor (systemd, Docker, Kubernetes) that restarts it helps: a start proves what the disk holds. Until then, start it again.',
    cause,
  });

/** Who sets up a balancer or a monitor looks for what is not there. */
const withoutToken = 'without CFFBRW_TOKEN there is no health, metrics or admin API (/_cffbrw/): openssl rand -hex 32 makes one';

export const start = command({
  name: 'start',
  description: [
    'Runs an app for its users until SIGTERM or Ctrl-C: on one machine, or with --backbone on several that share its variables.',
    'With CFFBRW_TOKEN it serves the admin API, /_cffbrw/, to whoever has that token.',
  ].join(' '),
  examples: [
    'cffbrw start',
    'cffbrw start examples/wheel --port 8080',
    'PORT=8080 cffbrw start . --host 0.0.0.0 --data /var/lib/wheel',
    'cffbrw start --name fra --backbone postgres://wheel@db.example/wheel',
    'CFFBRW_TOKEN=… cffbrw start --drain 10s   (behind a balancer that looks at /_cffbrw/health every few seconds)',
    'cffbrw start examples/wheel/broken/max-value --allow-races   (check finds something that blocks)',
  ],
  args: {
    dir: { type: 'positional', default: '.', description: 'The directory with cffbrw.yaml' },
    host: {
      type: 'string',
      default: '127.0.0.1',
      description: 'The address to listen on; 0.0.0.0 for all',
      valueHint: 'address',
    },
    port: { type: 'string', description: 'The port; default $PORT, else 3000', valueHint: 'number' },
    data: { type: 'string', description: 'Where the data is kept; default <dir>/data', valueHint: 'directory' },
    name: nameArgument,
    ...siteArguments,
    drain: {
      type: 'string',
      default: '0s',
      description: 'How long to go on accepting after SIGTERM, while health says 503: as long as a balancer takes to notice',
      valueHint: 'duration',
    },
    'allow-races': { type: 'boolean', description: 'Start although check finds what blocks; the log says so' },
  },
  async run({ dir, host, port, data, name, drain, ...flags }) {
    const token = process.env.CFFBRW_TOKEN;
    const level = logLevelOf(process.env.CFFBRW_LOG);
    const site = siteOf({ name, ...flags });
    const target = site === null ? null : await targetOf(flags);
    const log = (app: App) =>
      createLog({ app: app.name, level, secrets: [...secretsOf(app).values(), token ?? '', target?.password ?? ''] });
    const allowRaces = flags['allow-races'] === true;
    const running = await run({
      directory: dir,
      host,
      port: wholeNumber(port ?? process.env.PORT ?? '3000', 'port', { from: 0, to: 65_535 }),
      data: data ?? join(dir, 'data'),
      drainMs: durationMs(drain, 'drain'),
      admin: token === undefined || token === '' ? null : { token, loopback: false },
      ...(site !== null && { site }),
      log,
      async admit(app) {
        const { admit } = await import('../admission.ts');
        await admit(app, { directory: dir, allowRaces, log: log(app), step: 'started' });
      },
    });
    // Listening for signals first: who reads that it answers may stop it at once.
    const lost = running.lost?.then(exitBecause) ?? null;
    const stopped = onStop(running.close, lost);
    printApp(running.app, running.url, [
      ...(target === null ? [] : [`this is ${running.replicas[0]}, on ${describeTarget(target)}`]),
      ...(token === undefined || token === '' ? [withoutToken] : []),
    ]);
    await stopped;
    return 0;
  },
});
