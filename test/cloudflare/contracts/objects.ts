/** Objects that do nothing: the contract suites run inside them. */
export class Bench {
  fetch(): Response {
    return new Response('bench');
  }

  /** The hosts under test set alarms. */
  alarm(): void {}
}
export { Bench as HubObject };

export default { fetch: () => new Response('contracts') };
