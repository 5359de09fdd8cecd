/**
 * Runs as OpenTelemetry spans, where the process has an SDK (it is loaded before the app: `node --import ./tracing.mjs …`). A run is a
 * span, its steps are spans in it. They are made when the run has ended, with the times that it had.
 */
import type { Attributes, SpanStatus, Tracer } from '@opentelemetry/api';
import { version } from '../version.ts';
import type { RunRecord, TracedStep } from '../workflow/trace.ts';

/** Resolves with null where there is no API, or no SDK behind it. */
export async function openTelemetry(): Promise<((record: RunRecord) => void) | null> {
  const api = await import('@opentelemetry/api').catch(() => null);
  if (api === null) return null;
  const provider = api.trace.getTracerProvider();
  if (provider instanceof api.ProxyTracerProvider && provider.getDelegateTracer('cffbrw') === undefined) return null;
  const tracer = provider.getTracer('cffbrw', version);
  const failed = (message: string): SpanStatus => ({ code: api.SpanStatusCode.ERROR, message });
  return (record) => {
    const span = tracer.startSpan(`run ${record.workflow}`, {
      startTime: record.startedMs,
      attributes: attributesOf(record),
    });
    if (span.isRecording()) {
      const inside = api.trace.setSpan(api.ROOT_CONTEXT, span);
      for (const step of record.trace) stepSpan(tracer, { step, startedMs: record.startedMs, inside, failed });
    }
    if (record.status >= 500) span.setStatus(failed(record.code ?? String(record.status)));
    span.end(record.startedMs + record.tookMs);
  };
}

const attributesOf = ({ id, workflow, status, code, keyed }: RunRecord): Attributes => ({
  'cffbrw.run.id': id,
  'cffbrw.workflow': workflow,
  'cffbrw.keyed': keyed,
  'http.response.status_code': status,
  ...(code !== null && { 'error.type': code }),
});

interface StepSpan {
  readonly step: TracedStep;
  readonly startedMs: number;
  readonly inside: Parameters<Tracer['startSpan']>[2];
  readonly failed: (message: string) => SpanStatus;
}

/** Names of variables, not their values: a trace goes where values may not. */
function stepSpan(tracer: Tracer, { step, startedMs, inside, failed }: StepSpan): void {
  const startTime = startedMs + step.startMs;
  const attributes: Attributes = {
    'cffbrw.step': step.at,
    'cffbrw.skipped': step.skipped,
    'cffbrw.reads': [...new Set(step.reads.map(({ variable }) => variable))],
    'cffbrw.writes': [...new Set(step.writes.map(({ variable, operation }) => `${operation} ${variable}`))],
  };
  const span = tracer.startSpan(step.verb, { startTime, attributes }, inside);
  if (step.error !== null) span.setStatus(failed(step.error));
  span.end(startTime + step.tookMs);
}
