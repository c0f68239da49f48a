/**
 * Items in the order in which they came, each under its key at most once. It only grows, and a state never changes: so a
 * series and the longer one that is made of it share their items, and appending to the newest costs the same however
 * long it is. Appending to one that is no longer the newest copies, so that neither sees the other's items.
 */
export class Series<T> implements Iterable<T> {
  readonly #store: Store<T>;
  readonly #length: number;

  private constructor(store: Store<T>, length: number) {
    this.#store = store;
    this.#length = length;
  }

  /** @param keyOf what no two items have in common; without it any number may be alike, and none is found by a key */
  static of<T>(items: Iterable<T>, keyOf: ((item: T) => unknown) | null = null): Series<T> {
    return new Series<T>({ items: [], places: new Map(), keyOf }, 0).appendAll(items);
  }

  get length(): number {
    return this.#length;
  }

  /** The item at `index`, counted from the end where it is negative. */
  at(index: number): T | undefined {
    const place = index < 0 ? this.#length + index : index;
    return place < this.#length ? this.#store.items[place] : undefined;
  }

  /** The item under a key. */
  get(key: unknown): T | undefined {
    const place = this.#store.places.get(key);
    return place === undefined ? undefined : this.at(place);
  }

  has(key: unknown): boolean {
    return this.get(key) !== undefined;
  }

  /** With one item more. The first under a key stands: another one changes nothing. */
  append(item: T): Series<T> {
    const { keyOf } = this.#store;
    if (keyOf !== null && this.has(keyOf(item))) return this;
    // An empty one may be the beginning of many.
    const isNewest = this.#length > 0 && this.#store.items.length === this.#length;
    const store = isNewest ? this.#store : this.#copy();
    if (keyOf !== null) store.places.set(keyOf(item), this.#length);
    store.items.push(item);
    return new Series(store, this.#length + 1);
  }

  appendAll(items: Iterable<T>): Series<T> {
    return [...items].reduce<Series<T>>((longer, item) => longer.append(item), this);
  }

  /** The first `length` items. */
  take(length: number): Series<T> {
    return length >= this.#length ? this : new Series(this.#store, Math.max(0, length));
  }

  map<U>(make: (item: T) => U): U[] {
    return this.slice(0).map(make);
  }

  /** The items for which `isKept` holds: itself where that is all of them. */
  where(isKept: (item: T) => boolean): Series<T> {
    const items = this.slice(0).filter(isKept);
    return items.length === this.#length ? this : Series.of(items, this.#store.keyOf);
  }

  /** The items from `start` to before `end`, as in an array. */
  slice(start: number, end = this.#length): T[] {
    return this.#store.items.slice(this.#place(start), this.#place(end));
  }

  /** Whether this one is `other`, or was made of it by appending. False may also be said of one with equal items. */
  continues(other: Series<T>): boolean {
    return other.#length === 0 || (this.#store === other.#store && this.#length >= other.#length);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let place = 0; place < this.#length; place += 1) yield this.#store.items[place]!;
  }

  toJSON(): T[] {
    return this.slice(0);
  }

  #place(index: number): number {
    return Math.min(this.#length, index < 0 ? Math.max(0, this.#length + index) : index);
  }

  #copy(): Store<T> {
    const { places, keyOf } = this.#store;
    const items = this.slice(0);
    const known = [...places].filter(([, place]) => place < this.#length);
    return { items, places: new Map(known), keyOf };
  }
}

/** What a series shares with those that it was made of: the items of the longest of them, and where each key stands. */
interface Store<T> {
  readonly items: T[];
  readonly places: Map<unknown, number>;
  readonly keyOf: ((item: T) => unknown) | null;
}
