/** A map that forgets what was used longest ago. */
export class Lru<V> {
  private readonly entries = new Map<string, V>();

  constructor(
    private readonly max: number,
    private readonly dropped: (value: V) => void = () => undefined,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): V | undefined {
    const found = this.entries.get(key);
    if (found !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, found);
    }
    return found;
  }

  set(key: string, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    while (this.entries.size > this.max) {
      const oldest = this.entries.keys().next().value;
      if (oldest === undefined) return;
      const gone = this.entries.get(oldest);
      this.entries.delete(oldest);
      if (gone !== undefined) this.dropped(gone);
    }
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  values(): IterableIterator<V> {
    return this.entries.values();
  }
}
