/**
 * R9: a secret goes where it may be read. The compiler lets it into `http` alone (anything else it refuses, which `checkDocuments` says as
 * R9), so what is left is the request to an address that a request chooses.
 */
import type { Send } from '../effect.ts';
import { found, oncePerStep, type Rule } from '../report.ts';
import type { SymbolTerm, Term } from '../term.ts';
import { doing } from '../words.ts';

export const secretLeak: Rule = (model) => {
  const sends = model.effects.filter((effect): effect is Send => effect.kind === 'send');
  return oncePerStep(sends.filter((send) => secretIn(send.value) !== undefined && isChosen(send.url))).map((send) =>
    found('R9', send.step, {
      story: `A user ${doing(send.run)} with the address of a server of their own: \`http\` sends it ${secretIn(send.value)?.name}, and whoever reads its log can use what is another user's.`,
      summary: 'Write the host of the address into the document, or send `hmac(secrets.…, text)` in the place of the secret.',
    }),
  );
};

const secretIn = (value: Term): SymbolTerm | undefined =>
  [...value.roots].find((root): root is SymbolTerm => root.kind === 'symbol' && root.origin === 'secret');

const isRequest = (term: Term): boolean => [...term.roots].some((root) => root.kind === 'symbol' && root.origin === 'request');

/** True when the request says to which host: the text before it does not end the host. */
function isChosen(url: Term): boolean {
  if (url.kind !== 'operation') return isRequest(url);
  const [start] = url.parts;
  if (url.name !== 'template' && url.name !== '+') return isRequest(url);
  if (start?.kind === 'literal' && typeof start.value === 'string' && /^https?:\/\/[^/?#]+[/?#]/.test(start.value)) return false;
  return isRequest(url);
}
