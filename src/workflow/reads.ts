/** What the expressions of a workflow read of a bound name. */
import type { Compiled, Tree } from '../expression/index.ts';

/** Those of `members` that may be read of what `name` holds: all, where it stands as a whole or is indexed. */
export function membersRead<Member extends string>(
  compiled: readonly Compiled[],
  name: string,
  members: readonly Member[],
): ReadonlySet<Member> {
  const found = new Set<Member>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const tree = node as Tree;
    if (tree.kind === 'member' && tree.object.kind === 'name' && tree.object.name === name) {
      const read = members.find((member) => member === tree.name);
      if (read !== undefined) found.add(read);
      return;
    }
    if (tree.kind === 'name' && tree.name === name) for (const member of members) found.add(member);
    Object.values(tree).forEach(visit);
  };
  for (const { names, trees } of compiled) if (names.has(name)) visit(trees);
  return found;
}
