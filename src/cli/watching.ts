/** Watching an app's documents: told once they have been quiet for a moment, and only when their text is another. */
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { readDocuments } from '../node/directory.ts';

/** Editors write a file in several steps. */
const quietMs = 60;

export interface Watching {
  /** From now on `changed` is called; also for what changed since the watching began. */
  start(changed: () => Promise<void>): void;
  close(): void;
}

/**
 * Watches the two folders that hold documents, not the files, so that a file that an editor replaces is seen as well. Nothing that is
 * saved after it resolved is missed.
 */
export async function watchDocuments(directory: string): Promise<Watching> {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | null = null;
  let changed: (() => Promise<void>) | null = null;
  let checking = Promise.resolve();

  function arm(folder: string): void {
    if (watchers.has(folder)) return;
    try {
      const watcher = watch(folder, () => soon());
      watcher.on('error', () => disarm(folder));
      watchers.set(folder, watcher);
    } catch {
      // Not there (yet): the folder above tells when it comes.
    }
  }

  function disarm(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  }

  function soon(): void {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      checking = checking.then(check);
    }, quietMs);
  }

  async function check(): Promise<void> {
    disarm(join(directory, 'workflows')); // it may be another folder of the same name by now
    arm(join(directory, 'workflows'));
    if (changed === null) return;
    const text = await textOf(directory);
    if (text === known) return;
    known = text;
    await changed();
  }

  arm(directory);
  arm(join(directory, 'workflows'));
  let known = await textOf(directory);
  return {
    start(listener) {
      changed = listener;
      soon();
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      for (const folder of [...watchers.keys()]) disarm(folder);
    },
  };
}

/** Everything in the documents; an app that can't be read at the moment has a text of its own. */
const textOf = (directory: string): Promise<string> => readDocuments(directory).then(JSON.stringify, String);
