/** What the terminal is told. Results go to standard output, everything else to standard error. */
import type { App } from '../app.ts';
import type { LogEntry, RequestLine } from '../http/index.ts';
import type { Alarm } from '../replica/index.ts';

const clock = (): string => new Date().toTimeString().slice(0, 8);

/** For a terminal, unless NO_COLOR says otherwise. */
export const hasColours = ({ isTTY }: NodeJS.WriteStream): boolean => isTTY === true && !process.env.NO_COLOR;

export const printAlarm = ({ kind, message }: Alarm): void => console.error(`${clock()}  ALARM ${kind}: ${message}`);

export const printLog = (entry: LogEntry): void => console.error(`${clock()}  ${JSON.stringify(entry)}`);

/** `12:00:01  POST 200  0.8 ms  /wheel/spin  spin  r2` */
export function printRequest({ method, path, status, tookMs, workflow }: RequestLine, replica: string | null): void {
  const columns = [method.padEnd(6), String(status), `${tookMs.toFixed(1).padStart(7)} ms`, path, workflow ?? '', replica ?? ''];
  console.log(`${clock()}  ${columns.join('  ').trimEnd()}`);
}

/** `notes` come last. */
export function printApp(app: App, url: string, notes: readonly string[] = []): void {
  console.log(`${app.name} answers at ${url}`);
  for (const { name, http, cron } of app.workflows.values()) {
    if (http !== null) console.log(`  ${http.method.padEnd(6)} ${url}${http.path}  ${name}`);
    if (cron !== null) console.log(`  cron   ${cron.schedule} (${cron.timezone})  ${name}`);
  }
  if (app.settings.static !== null) console.log(`  GET    ${url}/  the folder ${app.settings.static}`);
  if (app.settings.events !== null)
    console.log(`  GET    ${url}${app.settings.events.path}  live changes of ${app.settings.events.variables.join(', ')}`);
  for (const note of notes) console.log(`  ${note}`);
}
