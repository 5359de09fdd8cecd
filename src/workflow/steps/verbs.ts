/** Every verb. To add one: write its file, and name it here. */
import { addVerb } from './add.ts';
import { callVerb } from './call.ts';
import { eachVerb } from './each.ts';
import { failVerb } from './fail.ts';
import { getVerb } from './get.ts';
import { confirmVerb, giveVerb } from './give.ts';
import { httpVerb } from './http.ts';
import { ifVerb } from './if.ts';
import { keysVerb } from './keys.ts';
import { letVerb } from './let.ts';
import { logVerb } from './log.ts';
import { burnVerb, mintVerb } from './mint.ts';
import { parallelVerb } from './parallel.ts';
import { lowerVerb, raiseVerb } from './raise.ts';
import { resetVerb } from './reset.ts';
import { respondVerb } from './respond.ts';
import { returnVerb } from './return.ts';
import { mergeVerb, replaceVerb, setVerb } from './set.ts';
import { switchVerb } from './switch.ts';
import { takeVerb } from './take.ts';
import { tryVerb } from './try.ts';
import { unsetVerb } from './unset.ts';
import { namedVerbs, type Verb } from './verb.ts';
import { waitVerb } from './wait.ts';

/** What is pure a bundle leaves out where nobody asks for it: an app that was built brings its own verbs alone. */
export const verbs: ReadonlyMap<string, Verb> = /* @__PURE__ */ namedVerbs([
  setVerb,
  replaceVerb,
  mergeVerb,
  raiseVerb,
  lowerVerb,
  addVerb,
  mintVerb,
  burnVerb,
  unsetVerb,
  resetVerb,
  takeVerb,
  giveVerb,
  confirmVerb,
  getVerb,
  keysVerb,
  letVerb,
  ifVerb,
  switchVerb,
  eachVerb,
  parallelVerb,
  tryVerb,
  callVerb,
  httpVerb,
  waitVerb,
  returnVerb,
  respondVerb,
  failVerb,
  logVerb,
]);
