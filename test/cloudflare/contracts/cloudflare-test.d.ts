/** What we use of the pool's module: its own types need those of the platform, which are no neighbours of Node's. */
declare module 'cloudflare:test' {
  import type { ObjectNamespace, ObjectState, ObjectStub } from '../../../src/cloudflare/bindings.ts';

  export const env: { readonly BENCH: ObjectNamespace & { newUniqueId(): unknown }; readonly HUB: ObjectNamespace };
  export function runInDurableObject<Result>(
    stub: ObjectStub,
    work: (object: unknown, state: ObjectState) => Result | Promise<Result>,
  ): Promise<Result>;
}
