/**
 * The form of documents: which fields there are and of what type. All that is wrong with a document is reported, not only the first thing.
 * What fields mean together (names, scopes, operations) is the plan's part.
 */
import type * as z from 'zod';
import { suggestion } from '../expression/suggest.ts';
import { type AppDocument, appSchema, type WorkflowDocument, workflowSchema } from './fields.ts';
import { type FormPlace, isMap, kindOf, type Problems, pathText, type Source } from './source.ts';

export type CheckedDocument =
  | { readonly kind: 'app'; readonly source: Source; readonly document: AppDocument }
  | { readonly kind: 'workflow'; readonly source: Source; readonly document: WorkflowDocument };

/** The document, if its form is right; else undefined, and `problems` says why. */
export function checkDocument(source: Source, problems: Problems): CheckedDocument | undefined {
  const data = source.data;
  if (!isMap(data)) {
    problems.add(source.placeOf([]), `A document is a map of fields, not ${kindOf(data)}.`, 'Start with `cffbrw: 1`.');
    return undefined;
  }
  if (Object.hasOwn(data, 'workflow')) {
    const document = checkForm(workflowSchema, { source, problems, path: [], what: 'A workflow' });
    return document && { kind: 'workflow', source, document };
  }
  if (Object.hasOwn(data, 'app')) {
    const document = checkForm(appSchema, { source, problems, path: [], what: 'An app' });
    return document && { kind: 'app', source, document };
  }
  const message = 'This document has neither `workflow: <name>` nor `app: <name>`, so it is neither a workflow nor an app.';
  problems.add(source.placeOf([]), message, 'Say which of the two it is, in its second line.');
  return undefined;
}

/** The data at `path` as `schema` types it, or undefined when its form is wrong. */
export function checkForm<Type>(schema: z.ZodType<Type>, place: FormPlace, data: unknown = place.source.data): Type | undefined {
  const result = schema.safeParse(data, { reportInput: true });
  if (result.success) return result.data;
  const known = 'shape' in schema ? (schema.shape as Record<string, z.ZodType>) : {};
  for (const issue of result.error.issues) report(issue, place, data, known);
  return undefined;
}

type Issue = z.core.$ZodIssue;

function report(issue: Issue, place: FormPlace, data: unknown, known: Record<string, z.ZodType>): void {
  const inside = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const path = [...place.path, ...inside];
  if (issue.code === 'unrecognized_keys') {
    const names = namesAt(known, inside);
    for (const key of issue.keys) {
      const owner = inside.length > 0 ? `\`${pathText(inside)}\`` : place.what;
      place.problems.add(place.source.keyPlaceOf([...path, key]), `${owner} has no field \`${key}\`.`, suggestion(key, names));
    }
    return;
  }
  const name = pathText(inside) || place.what;
  if (valueAt(data, inside) === undefined) {
    place.problems.add(
      place.source.placeOf(path),
      `${place.what} needs \`${name}\`, and it is missing.`,
      `Add \`${inside.at(-1)}: …\`.`,
    );
    return;
  }
  place.problems.add(place.source.placeOf(path), `\`${name}\` ${expectation(issue)}.`);
}

/** The fields that the schema has at `path`, as far as it is made of objects. */
function namesAt(known: Record<string, z.ZodType>, path: readonly (string | number)[]): string[] {
  let shape = known;
  for (const part of path) {
    let inner: unknown = shape[String(part)];
    while (inner && typeof inner === 'object' && 'unwrap' in inner && typeof inner.unwrap === 'function') inner = inner.unwrap();
    if (!inner || typeof inner !== 'object' || !('shape' in inner)) return [];
    shape = inner.shape as Record<string, z.ZodType>;
  }
  return Object.keys(shape);
}

function valueAt(data: unknown, path: readonly (string | number)[]): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** `must be text, not a number`. */
function expectation(issue: Issue): string {
  const found = 'input' in issue ? kindOf(issue.input) : 'this';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}, not ${found}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => `\`${String(value)}\``).join(' or ')}`;
    case 'invalid_union':
      return `must be ${unionOf(issue)}, not ${found}`;
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must not have more than ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    default:
      return `is not valid: ${issue.message}`;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function unionOf(issue: Issue & { code: 'invalid_union' }): string {
  const names = issue.errors
    .flatMap((arm) => arm.slice(0, 1))
    .map((first) => {
      if (first.code === 'invalid_type') return typeNames[first.expected] ?? first.expected;
      return first.code === 'unrecognized_keys' ? 'a map of its own fields' : expectation(first).replace(/^must be /, '');
    });
  return [...new Set(names)].join(' or ');
}
