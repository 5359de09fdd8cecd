import { describe, expect, test } from 'vitest';
import { sendOutbound } from '../../src/cloudflare/host.ts';
import { guardOutbound } from '../../src/workflow/outbound.ts';

const refusalOf = async (url: string, allow: readonly string[] = []): Promise<string> => {
  try {
    await guardOutbound(allow, sendOutbound)(new Request(url));
    return 'sent';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};

describe('requests of a Worker to other servers', () => {
  test.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://8.8.8.8/',
    'http://localhost/',
    'http://LOCALHOST./',
    'http://a.localhost/',
    'http://printer.local/',
    'http://vault.internal/',
  ])('%s is refused before anything is sent', async (url) => {
    expect(await refusalOf(url)).toBe('FORBIDDEN_ADDRESS');
  });

  test('what the app allows by name is sent, and what does not answer says that it may have arrived', async () => {
    expect(await refusalOf('http://127.0.0.1:1/', ['127.0.0.1'])).toBe('HTTP_FAILED');
    expect(await refusalOf('http://localhost:1/', ['LOCALHOST'])).toBe('HTTP_FAILED');
    expect(await refusalOf('http://localhost.:1/', ['localhost'])).toBe('HTTP_FAILED');
    expect(await refusalOf('http://127.0.0.2:1/', ['127.0.0.1'])).toBe('FORBIDDEN_ADDRESS');
  });
});
