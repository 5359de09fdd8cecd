/** The secret under which receipts are authenticated: made once, by whoever comes first, and the same for all replicas. */
import type { Branch } from './branch.ts';
import { lookUp, recoveringError, registersOf } from './lookup.ts';
import { createAuthenticator } from './receipt.ts';

export const secretName = 'receipt-key';

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

async function secretThatIsThere(branch: Branch): Promise<string> {
  const { value } = await registersOf(branch).get(secretName);
  if (value === null) throw recoveringError();
  return value;
}

async function fetchSecret(branch: Branch): Promise<string> {
  // It may have been lost, and somebody may still bring it back: a second one would make strangers of all receipts.
  if (branch.local === null && branch.options.recovery?.stage === 0) return secretThatIsThere(branch);
  const { register } = await lookUp(branch, secretName, () => branch.host.id() + branch.host.id());
  return register.value ?? '';
}
