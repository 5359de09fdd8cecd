/** A built app as a module: it imports what its documents use, so that a bundle has no more. */
import type { BuiltApp } from './built.ts';

/** Default export: the app. */
export function builtModule(built: BuiltApp): string {
  const { uses } = built;
  const strategies = uses.strategies.map(camelCase);
  const verbs = uses.verbs.map((verb) => `${verb}Verb`);
  const functions = uses.functions.map((name) => `${name}Function`);
  const others = [
    ...(uses.methods ? ['compileMethod'] : []),
    ...(uses.schedules ? ['schedules'] : []),
    ...(uses.patterns ? ['createPathRouter'] : []),
    ...(uses.verbs.includes('http') ? ['guardOutbound'] : []),
    ...(uses.schemas ? ['compileSchema'] : []),
  ];
  const names = ['loadWith', ...strategies, ...verbs, ...functions, ...others].sort();
  const parts = [
    `strategies: [${strategies.join(', ')}]`,
    `verbs: [${verbs.join(', ')}]`,
    `functions: [${functions.join(', ')}]`,
    ...others,
  ];
  return `// Made by \`cffbrw build\` from ${built.documents[0]?.file}: change that, and build it again.
import { ${names.join(', ')} } from 'cffbrw/built';

const built = ${JSON.stringify(built)};

export default loadWith(built, { ${parts.join(', ')} });
`;
}

const camelCase = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
