/** What the rest of the world answers to `http` steps: the rules of a scenario, the first that fits. */
import { CffbrwError } from '../error.ts';
import type { FetchScript } from './host.ts';
import { drawDelay } from './network.ts';
import { createRandom } from './random.ts';
import type { OutboundRule } from './scenario.ts';

export function outboundScript(rules: readonly OutboundRule[], seed: string): FetchScript {
  const random = createRandom(`${seed}/outbound`);
  return async (request, host) => {
    const rule = rules.find(({ url }) => request.url.startsWith(url));
    if (rule === undefined) {
      throw new CffbrwError('UNREACHABLE', `the scenario has no \`outbound\` for ${request.method} ${request.url}`, {
        fix: `Add one: outbound: [{ url: ${new URL(request.url).origin}, status: 200 }]`,
      });
    }
    const { takes, fails, status, body } = rule;
    const takesMs = drawDelay(takes, random);
    const broken = random.chance(fails);
    await new Promise<void>((resolve) => void host.after(takesMs, resolve));
    if (broken) throw new CffbrwError('HTTP_FAILED', `${request.url} broke the connection, as the scenario says`);
    return body === null ? new Response(null, { status }) : Response.json(body, { status });
  };
}
