/** Windows that are closed for good: nothing is handed out in them any more, given back, or asked of their banks. */
import { CffbrwError } from '../../error.ts';
import { type Address, parseAddress } from '../../strategy/address.ts';
import type { Branch } from './branch.ts';

export const isClosed = ({ options }: Branch, address: Address): boolean => options.isClosed?.(address) === true;

export function isClosedId(branch: Branch, id: string): boolean {
  const address = parseAddress(id);
  return address !== null && isClosed(branch, address);
}

/** Throws WINDOW_CLOSED. */
export function checkOpen(branch: Branch, address: Address): void {
  if (isClosed(branch, address)) throw closedWindow(address);
}

export const closedWindow = ({ variable, window }: Address): CffbrwError =>
  new CffbrwError('WINDOW_CLOSED', `the window ${window} of ${variable} is closed`, {
    fix: 'Nothing can be taken from it any more. If this is the current window, this machine’s clock is behind: set it (NTP).',
  });
