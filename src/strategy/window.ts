/**
 * Windows: the id of the hour, day, week or month in which an operation is accepted, in an IANA time zone. A day can have 23 or 25
 * hours, and an hour that a clock goes through twice is two windows.
 */
export interface WindowRule {
  readonly every: 'hour' | 'day' | 'week' | 'month';
  /** IANA name; default UTC. */
  readonly timezone?: string;
  /** How many closed windows are kept before they become tombstones. Default 7. */
  readonly keep?: number;
}
