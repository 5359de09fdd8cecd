/** Whatever a document holds, it is compiled or refused with a place; what is compiled runs to an answer or a problem. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createApp, loadApp } from '../../src/app.ts';
import { CffbrwError } from '../../src/error.ts';
import { app, document, mutatedDocument } from './mutants.ts';
import { createStage, runs } from './stage.ts';

test('A mutated document compiles and runs, or is refused with a place', async () => {
  let [ran, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(mutatedDocument, async (changed) => {
      let compiled: ReturnType<typeof createApp>;
      try {
        compiled = createApp([app, changed]);
      } catch (error) {
        if (!(error instanceof CffbrwError)) throw error;
        expect(error.code).toBe('INVALID_APP');
        expect((error.cause as CffbrwError[]).every((one) => one.place !== undefined && one.message !== '')).toBe(true);
        refused += 1;
        return;
      }
      const [name] = compiled.workflows.keys();
      const stage = await createStage(compiled);
      for (const key of [undefined, 'one', 'one']) {
        const result = await stage.ask(name ?? '', { body: 5, ...(key !== undefined && { key }) });
        expect(result.status).toBeGreaterThanOrEqual(200);
        expect('code' in result && result.code).not.toBe('INVARIANT');
      }
      ran += 1;
    }),
    { numRuns: runs(150) },
  );
  expect([ran > 10, refused > 10]).toEqual([true, true]);
});

test('The document itself answers', async () => {
  const stage = await createStage(createApp([app, document]));
  expect(await stage.ask('w', { body: 5 })).toMatchObject({ status: 201, body: { t: { ok: true }, all: [1, 'two', null] } });
});

test('A text with pieces missing, doubled or swapped is compiled or refused', () => {
  const text = JSON.stringify(document, null, 1).replaceAll('"', '');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: text.length }), fc.nat({ max: 30 }), fc.nat({ max: text.length })), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.boolean(),
      (cuts, json) => {
        let changed = json ? JSON.stringify(document) : text;
        for (const [from, length, to] of cuts)
          changed = changed.slice(0, from) + changed.slice(from + length, to) + changed.slice(Math.min(from, to));
        try {
          loadApp([
            { path: 'a', text: JSON.stringify(app) },
            { path: 'w', text: changed },
          ]);
        } catch (error) {
          expect(error).toBeInstanceOf(CffbrwError);
          expect((error as CffbrwError).code).toBe('INVALID_APP');
        }
      },
    ),
    { numRuns: runs(150) },
  );
});
