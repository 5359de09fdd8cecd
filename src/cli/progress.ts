/** A bar on standard error while long work goes on; nothing where nobody would see it. */

const width = 30;
const everyMs = 100;

export interface Progress {
  show(done: number, all: number, what: string): void;
  /** Takes the bar away. */
  clear(): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { show() {}, clear() {} };
  const startMs = Date.now();
  let shownMs = 0;
  return {
    show(done, all, what) {
      const nowMs = Date.now();
      if (nowMs - shownMs < everyMs && done < all) return;
      shownMs = nowMs;
      stream.write(`\r\x1b[2K${progressLine(done, all, what, nowMs - startMs)}`);
    },
    clear: () => void stream.write('\r\x1b[2K'),
  };
}

export function progressLine(done: number, all: number, what: string, tookMs: number): string {
  const filled = all === 0 ? width : Math.floor((done / all) * width);
  const left = done === 0 ? '' : `  ${Math.ceil(((tookMs / done) * (all - done)) / 1_000)} s left`;
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)}  ${done} of ${all}  ${what}${done < all ? left : ''}`;
}
