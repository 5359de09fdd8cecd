/** A built app as a module: it imports what its documents use, so that a bundle has no more. */
import type { BuiltApp } from './built.ts';

/** Default export: the app. */
export function builtModule(built: BuiltApp): string {
  const { verbs, functions, schedule } = built.uses;
  const verbNames = verbs.map((verb) => `${verb}Verb`);
  const functionNames = functions.map((name) => `${name}Function`);
  const names = ['loadWith', ...verbNames, ...functionNames, ...(schedule ? ['parseSchedule'] : [])].sort();
  const parts = [
    `verbs: [${verbNames.join(', ')}]`,
    `functions: [${functionNames.join(', ')}]`,
    ...(schedule ? ['parseSchedule'] : []),
  ];
  return `// Made by \`cffbrw build\` from ${built.documents[0]?.file}: change that, and build it again.
import { ${names.join(', ')} } from 'cffbrw/built';

const built = ${JSON.stringify(built)};

export default loadWith(built, { ${parts.join(', ')} });
`;
}
