const durationPattern = /^(\d{1,12})(ms|s|m|h|d)$/;

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `200ms`, `10s`, `5m`, `24h`, `7d`; undefined for anything else. */
export function durationMs(source: unknown): number | undefined {
  const match = typeof source === 'string' ? durationPattern.exec(source) : null;
  const milliseconds = match ? Number(match[1]) * (unitsMs[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}
