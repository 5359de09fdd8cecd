/** The secret under which receipts are authenticated: made once, by whoever comes first, and the same for all replicas. */
import type { Branch } from './branch.ts';
import { lookUp } from './lookup.ts';
import { createAuthenticator } from './receipt.ts';

const secretName = 'receipt-key';

/** Rejects with UNREACHABLE when it is neither known here nor to be had. */
export async function ensureAuthenticator(branch: Branch): Promise<void> {
  while (branch.authenticator === null) {
    const generation = branch.ledger.generation;
    const secret = (await branch.ledger.loadRecord(secretName)) ?? (await fetchSecret(branch));
    if (generation !== branch.ledger.generation) continue;
    branch.authenticator ??= createAuthenticator(secret);
  }
}

async function fetchSecret(branch: Branch): Promise<string> {
  const { register } = await lookUp(branch, secretName, () => branch.host.id() + branch.host.id());
  const secret = register.value ?? '';
  branch.ledger.putRecord(secretName, secret);
  await branch.ledger.flush();
  return secret;
}
