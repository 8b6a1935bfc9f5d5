/** A cache of stored pieces that will be needed again; the store has them too, so the cache may drop them. */
export class Memory {
  private readonly bodies = new Map<string, Uint8Array>();
  private bytes = 0;

  constructor(private readonly bytesMax: number) {}

  /** Stores a copy; returns whether there was room. */
  keep(path: string, body: Uint8Array): boolean {
    if (this.bytes + body.length > this.bytesMax) return false;
    this.bodies.set(path, Buffer.from(body));
    this.bytes += body.length;
    return true;
  }

  get(path: string): Uint8Array | undefined {
    return this.bodies.get(path);
  }

  forget(path: string): void {
    this.bytes -= this.bodies.get(path)?.length ?? 0;
    this.bodies.delete(path);
  }
}
