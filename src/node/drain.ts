/**
 * What a simulated world waits for between two events: that every microtask is over.
 *
 * Node.js runs the queue of `process.nextTick` only when its queue of microtasks is empty, and within the same turn of the event loop: four times
 * cheaper than a turn. Now and then it takes a turn, too, so that signals and sockets of the process get theirs.
 */
const ticksPerTurn = 5_000;
let ticks = 0;

export function drain(): Promise<void> {
  ticks = (ticks + 1) % ticksPerTurn;
  return new Promise((resolve) => {
    if (ticks === 0) setImmediate(resolve);
    else process.nextTick(resolve);
  });
}
