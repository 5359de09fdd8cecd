import type { CffbrwError } from '../error.ts';

/**
 * SIGINT and SIGTERM stop cleanly; a second one stops at once. So does what resolves `lost`; then this rejects with it, after what could still
 * be answered was.
 */
export function onStop(stop: () => Promise<void>, lost: Promise<CffbrwError> | null = null): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const handle = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143);
      stopping = true;
      stop().then(resolve, reject);
    };
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
    void lost?.then((error) => {
      if (stopping) return;
      stopping = true;
      const refuse = () => reject(error); // what is lost can't be closed
      stop().then(refuse, refuse);
    });
  });
}
