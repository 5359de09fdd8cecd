/** The form of each verb's steps, made when a document first has one. */
import * as z from 'zod';
import { commonFields, fields, yieldFields } from './fields.ts';
import type { Verb } from './steps/verb.ts';

const known = new Map<Verb, z.ZodObject>();

export function formOf(verb: Verb): z.ZodObject {
  let form = known.get(verb);
  if (form === undefined) {
    form = z.strictObject({ ...verb.fields(fields), ...(verb.yields ? yieldFields : {}), ...commonFields });
    known.set(verb, form);
  }
  return form;
}
