/** What `cffbrw init --cloudflare` writes beside an app: how Cloudflare's wrangler runs it, its entry, and how to go on. */
import type { App } from '../app.ts';

export type CloudflareFile = 'wrangler.jsonc' | 'worker.js' | 'README.cloudflare.md';

/** `settings` is the file with the app's settings: cffbrw.yaml, or a program. */
export const cloudflareFiles = (app: App, settings: string): Readonly<Record<CloudflareFile, string>> => ({
  'wrangler.jsonc': wrangler(app, settings),
  'worker.js': entry,
  'README.cloudflare.md': readme(app, settings),
});

/** What is made anew and not kept. */
export const ignored: readonly string[] = ['app.js', '.wrangler/', '.dev.vars'];

const entry = `import { admin, hub, region, worker } from 'cffbrw/cloudflare';
import app from './app.js';

export default worker(app);
export const Region = region(app, { admin });
export const Hub = hub(app);
`;

/** Cloudflare's names are lower-case letters, digits and dashes. */
const workerName = (app: string): string =>
  app
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 54)
    .replace(/^-|-$/g, '') || 'cffbrw-app';

/** The date of the runtime that this version was tested with. Later ones may behave otherwise. */
export const compatibilityDate = '2026-04-01';

function wrangler({ name, workflows, settings: { static: folder } }: App, settings: string): string {
  const assets =
    folder === null
      ? ''
      : `
  // The files of \`static\`. They are answered without the Worker, and cost nothing.
  "assets": { "directory": ${JSON.stringify(folder)}, "binding": "ASSETS" },`;
  const triggers = [...workflows.values()].every(({ cron }) => cron === null)
    ? ''
    : `
  // Schedules have alarms of their own. This wakes the first one, where nobody has asked for anything yet.
  "triggers": { "crons": ["0 * * * *"] },`;
  return `{
  "$schema": "node_modules/wrangler/config-schema.json",
  "name": ${JSON.stringify(workerName(name))},
  "main": "worker.js",
  "compatibility_date": "${compatibilityDate}",
  // The documents become one module; a finding of \`cffbrw check\` that blocks stops a deploy.
  "build": { "command": "npx cffbrw build", "watch_dir": [${JSON.stringify(settings)}, "workflows"] },${assets}${triggers}
  // One object for each region holds the variables there; the hub connects them.
  "durable_objects": {
    "bindings": [
      { "name": "REGION", "class_name": "Region" },
      { "name": "HUB", "class_name": "Hub" },
    ],
  },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["Region", "Hub"] }],
  "minify": true,
  // Names of functions would be set again whenever one is made.
  "keep_names": false,
  "observability": { "enabled": false },
}
`;
}

function readme({ name, settings: { secrets, regions } }: App, settings: string): string {
  const list = regions.length === 0 ? 'none yet, so there is one replica, near whoever asks first' : regions.join(', ');
  return `# ${name} on Cloudflare

    npm install cffbrw wrangler
    npx wrangler dev          # here, in Cloudflare's own runtime; no account needed
    npx wrangler deploy       # there

On Node.js 20 take \`wrangler@4.86.0\`: later ones need Node.js 22.

| file | what it is |
| --- | --- |
| \`wrangler.jsonc\` | what wrangler runs: the entry, its objects, and \`npx cffbrw build\` before it |
| \`worker.js\` | the entry; there is nothing to change in it |
| \`app.js\` | what \`cffbrw build\` makes of the documents; made anew each time |
${secretLines(secrets)}
## Regions

\`regions\` in ${settings} says where replicas are: ${list}. Each request goes to the nearest one.

    regions: [weur, enam, apac]

There are wnam, enam, sam, weur, eeur, afr, me, apac and oc. An object never moves: one that was made stays where it is. The admin API
(\`/_cffbrw/\`) answers whoever has the token of \`npx wrangler secret put CFFBRW_TOKEN\`.
`;
}

const secretLines = (secrets: readonly string[]): string =>
  secrets.length === 0
    ? ''
    : `
## Secrets

Set each of them before the first deploy, and write them into \`.dev.vars\` (lines of \`NAME=value\`) before \`wrangler dev\` starts:

${secrets.map((secret) => `    npx wrangler secret put ${secret}`).join('\n')}
`;
