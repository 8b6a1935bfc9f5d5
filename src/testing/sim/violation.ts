/** Something that must never happen did: in the simulated world itself, or in what came out of it. */
export class Violation extends Error {
  override readonly name = 'Violation';
}
