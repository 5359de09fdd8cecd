/** What is still to happen, in the order of (time, sequence): a binary heap. Cancelled events stay until they surface or are half of it. */

export interface Event {
  readonly timeMs: number;
  readonly sequence: number;
  /** null: cancelled. */
  task: (() => void) | null;
}

export interface EventQueue {
  /** How many events are still to happen. */
  readonly size: number;
  push(event: Event): void;
  /** The next event, which stays; undefined when there is none. */
  peek(): Event | undefined;
  pop(): Event | undefined;
  cancel(event: Event): void;
}

const before = (a: Event, b: Event): boolean => a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence);

export function createEventQueue(): EventQueue {
  let heap: Event[] = [];
  let cancelled = 0;

  const dropCancelled = () => {
    while (heap[0] !== undefined && heap[0].task === null) {
      removeFirst(heap);
      cancelled -= 1;
    }
  };
  return {
    get size() {
      return heap.length - cancelled;
    },
    push: (event) => insert(heap, event),
    peek() {
      dropCancelled();
      return heap[0];
    },
    pop() {
      dropCancelled();
      return removeFirst(heap);
    },
    cancel(event) {
      event.task = null;
      cancelled += 1;
      if (cancelled < 1_000 || cancelled * 2 < heap.length) return;
      const live = heap.filter((candidate) => candidate.task !== null);
      heap = live.sort((a, b) => a.timeMs - b.timeMs || a.sequence - b.sequence);
      cancelled = 0;
    },
  };
}

function insert(heap: Event[], event: Event): void {
  let index = heap.length;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const other = heap[parent] as Event;
    if (!before(event, other)) break;
    heap[index] = other;
    index = parent;
  }
  heap[index] = event;
}

function removeFirst(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
    const smaller = heap[child] as Event;
    if (!before(smaller, last)) break;
    heap[index] = smaller;
    index = child;
  }
  heap[index] = last;
  return first;
}
