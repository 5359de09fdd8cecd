/** One reader of an event stream: what it has not read yet, of each address only the latest. */
import type { Told } from './snapshot.ts';

export interface Client {
  readonly prefix: string;
  readonly stream: ReadableStream<Uint8Array>;
  /** The snapshot is there. What was told in the meantime is newer. */
  begin(snapshot: readonly Told[]): void;
  tell(told: Told): void;
  /** A comment keeps proxies from closing the connection; a reader that has read nothing for long is let go. */
  beat(): void;
  /** Ends the stream. `why` is logged, null: there is nothing to say. */
  end(why: string | null): void;
}

export interface ClientOptions {
  readonly prefix: string;
  readonly elapsed: () => number;
  readonly left: (why: string | null) => void;
}

export const maxQueueBytes = 1_048_576;
export const patienceMs = 60_000;
const retryMs = 2_000;

const encoder = new TextEncoder();

export function createClient({ prefix, elapsed, left }: ClientOptions): Client {
  const queue = new Map<string, string>();
  let queuedBytes = 0;
  let begun = false;
  let wake: (() => void) | null = null;
  let control: ReadableStreamDefaultController<Uint8Array> | null = null;
  let readMs = elapsed();

  const put = (id: string, text: string) => {
    // Characters, not bytes: a bound, not an account.
    queuedBytes += text.length - (queue.get(id)?.length ?? 0);
    queue.set(id, text);
  };

  const send = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    controller.enqueue(encoder.encode([...queue.values()].join('')));
    queue.clear();
    queuedBytes = 0;
    wake = null;
  };

  const sendIfAwaited = () => {
    if (begun && control !== null && wake !== null && queue.size > 0) {
      const resolve = wake;
      send(control);
      resolve();
    }
  };

  // `pull` is called only when somebody waits for more, so that a slow reader's queue stays here, where it coalesces.
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        control = controller;
      },
      pull(controller) {
        readMs = elapsed();
        if (begun && queue.size > 0) return send(controller);
        return new Promise<void>((resolve) => {
          wake = resolve;
        });
      },
      cancel: () => end(null),
    },
    { highWaterMark: 0 },
  );

  function end(why: string | null): void {
    const controller = control;
    if (controller === null) return;
    control = null;
    queue.clear();
    left(why);
    wake?.();
    try {
      controller.close();
    } catch {
      // It was cancelled by its reader.
    }
  }

  return {
    prefix,
    stream,
    begin(snapshot) {
      const newer = [...queue];
      queue.clear();
      queuedBytes = 0;
      put(' retry', `retry: ${retryMs}\n\n`);
      for (const { id, text } of snapshot) put(id, text);
      for (const [id, text] of newer) put(id, text);
      begun = true;
      sendIfAwaited();
    },
    tell({ id, text }) {
      put(id, text);
      if (queuedBytes > maxQueueBytes) end(`its client reads too slowly (${maxQueueBytes} bytes wait)`);
      else sendIfAwaited();
    },
    beat() {
      if (wake === null && elapsed() - readMs > patienceMs) return end(`its client has read nothing for ${patienceMs / 1000} s`);
      if (wake === null || queue.size > 0) return;
      put(' beat', ':\n\n');
      sendIfAwaited();
    },
    end,
  };
}
