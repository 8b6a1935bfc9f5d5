/** Bytes of pieces that were put and will be wanted again. A store has them too: this one may forget. */
export class Memory {
  private readonly bodies = new Map<string, Uint8Array>();
  private bytes = 0;

  constructor(private readonly bytesMax: number) {}

  /** Takes a copy; whether there was room for it. */
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
