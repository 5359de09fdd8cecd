/** Colours, where the terminal has them. */
import type { Paint } from '../simulate/report.ts';

const codes = { PASSED: '1;32', FAILED: '1;31', STOPPED: '1;33', quiet: '2', head: '1' } as const;

export function createPaint(stream: NodeJS.WriteStream): Paint {
  const colours = stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && stream.hasColors();
  return (style, text) => (colours ? `\x1b[${codes[style]}m${text}\x1b[0m` : text);
}
