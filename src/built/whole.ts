/** Any app that was built, from its JSON alone. A bundle that has this has every part of the language; a built module has its own. */
import type { App } from '../assemble.ts';
import { functions } from '../expression/functions.ts';
import { compileMethod } from '../expression/methods.ts';
import { schemaOf } from '../strategy/schema.ts';
import { strategies } from '../strategy/strategies.ts';
import { guardOutbound } from '../workflow/outbound.ts';
import { createPathRouter } from '../workflow/path-router.ts';
import { schedules } from '../workflow/schedules.ts';
import { verbs } from '../workflow/steps/verbs.ts';
import { loadWith } from './load.ts';

/** The app of a file that `cffbrw build --out app.json` wrote. Throws INVALID_APP when it is none. */
export const loadBuilt = (data: unknown): App =>
  loadWith(data, {
    strategies: Object.values(strategies),
    verbs: [...verbs.values()],
    functions: [...functions.values()],
    compileMethod,
    schedules,
    compileSchema: schemaOf,
    createPathRouter,
    guardOutbound,
  });
