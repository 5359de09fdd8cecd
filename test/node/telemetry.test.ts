import { type Attributes, type Context, type Span, type SpanOptions, type TracerProvider, trace } from '@opentelemetry/api';
import { afterEach, expect, it } from 'vitest';
import { openTelemetry } from '../../src/node/telemetry.ts';
import type { RunRecord } from '../../src/workflow/trace.ts';

interface Made {
  readonly name: string;
  readonly attributes: Attributes;
  readonly start: unknown;
  readonly parent: Span | undefined;
  end: unknown;
  failed: string | null;
  readonly span: Span;
}

/** The part of an SDK that is asked here. */
function provider(made: Made[], recording = true): TracerProvider {
  const startSpan = (name: string, options: SpanOptions = {}, context?: Context): Span => {
    const span = {
      isRecording: () => recording,
      setStatus: ({ message }: { message?: string }) => {
        one.failed = message ?? '';
      },
      end: (at: unknown) => {
        one.end = at;
      },
    } as unknown as Span;
    const parent = context === undefined ? undefined : trace.getSpan(context);
    const one: Made = {
      name,
      attributes: options.attributes ?? {},
      start: options.startTime,
      parent,
      end: null,
      failed: null,
      span,
    };
    made.push(one);
    return span;
  };
  return { getTracer: () => ({ startSpan, startActiveSpan: () => undefined as never }) };
}

afterEach(() => trace.disable());

const record = {
  ...{ id: 'abc', workflow: 'buy', startedMs: 1000, tookMs: 20, status: 503, code: 'STORE_FAILED', keyed: true },
  trace: [
    {
      at: 'steps[0]',
      verb: 'add',
      startMs: 1,
      tookMs: 2,
      skipped: false,
      reads: [],
      writes: [{ variable: 'hits', operation: 'add', text: 'private' }],
      error: null,
    },
    {
      at: 'steps[1]',
      verb: 'set',
      startMs: 4,
      tookMs: 6,
      skipped: false,
      reads: [{ variable: 'x', text: 'private' }],
      writes: [],
      error: 'STORE_FAILED: no',
    },
  ],
} as unknown as RunRecord;

it('Without an SDK there is nothing to tell', async () => {
  expect(await openTelemetry()).toBeNull();
});

it('A run is a span with its steps in it, with the times that they had, and without values', async () => {
  const made: Made[] = [];
  trace.setGlobalTracerProvider(provider(made));
  (await openTelemetry())?.(record);
  expect(made.map(({ name, start, end, failed }) => [name, start, end, failed])).toEqual([
    ['run buy', 1000, 1020, 'STORE_FAILED'],
    ['add', 1001, 1003, null],
    ['set', 1004, 1010, 'STORE_FAILED: no'],
  ]);
  expect(made.slice(1).every(({ parent }) => parent === made[0]?.span)).toBe(true);
  expect(made[0]?.attributes).toMatchObject({ 'cffbrw.run.id': 'abc', 'http.response.status_code': 503 });
  expect(made[1]?.attributes).toMatchObject({ 'cffbrw.writes': ['add hits'] });
  expect(JSON.stringify(made.map(({ attributes }) => attributes))).not.toContain('private');
});

it('A run that the SDK does not record costs no spans of steps', async () => {
  const made: Made[] = [];
  trace.setGlobalTracerProvider(provider(made, false));
  (await openTelemetry())?.(record);
  expect(made).toHaveLength(1);
});
