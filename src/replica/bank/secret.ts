/** The secret under which receipts are authenticated: made once, by whoever comes first, and the same for all replicas. */
import type { Branch } from './branch.ts';
import { lookUp } from './lookup.ts';
import { createAuthenticator } from './receipt.ts';

const secretName = 'receipt-key';

/** Rejects with UNREACHABLE when it is neither known here nor to be had. */
export async function ensureAuthenticator(branch: Branch): Promise<void> {
  while (branch.authenticator === null) {
    const { generation } = branch.ledger;
    const secret = branch.local === null ? await rememberedSecret(branch) : await fetchSecret(branch);
    // Nothing is signed with a secret that a power cut would take away.
    await branch.ledger.flush();
    if (generation === branch.ledger.generation) branch.authenticator ??= createAuthenticator(secret);
  }
}

/** The backbone's secret, from a record of it once it is known: so that rights that are held can be spent while it is out of reach. */
async function rememberedSecret(branch: Branch): Promise<string> {
  const known = await branch.ledger.loadRecord(secretName);
  if (known !== null) return known;
  const secret = await fetchSecret(branch);
  branch.ledger.putRecord(secretName, secret);
  return secret;
}

async function fetchSecret(branch: Branch): Promise<string> {
  const { register } = await lookUp(branch, secretName, () => branch.host.id() + branch.host.id());
  return register.value ?? '';
}
