/** A process to be killed: commits as fast as it can, and says so on standard output after each acknowledgement. */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../src/node/store.ts';

const [directory = '', witness = '', first = '1'] = process.argv.slice(2);
const { store } = await openSqliteStore({ directory, witness });
for (let version = Number(first); ; version += 1) {
  const rows = ['a', 'b', 'c'].map((address) => ({ address, replica: 'x', version, bytes: `{"v":${version}}` }));
  await store.commit(rows, [{ name: 'commit', value: String(version) }]);
  writeSync(1, `${version}\n`);
}
