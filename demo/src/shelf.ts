/** What the browser keeps between visits, in IndexedDB. A browser that stores nothing works, too. */

export interface Kept {
  /** The state of the learner. */
  readonly state: Uint8Array<ArrayBuffer>;
  /** What the user calls the classes. */
  readonly names: readonly string[];
}

const result = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Shelf {
  readonly #opened: Promise<IDBDatabase | undefined>;

  constructor() {
    this.#opened = this.#open().catch(() => undefined);
  }

  async #open(): Promise<IDBDatabase> {
    const opening = indexedDB.open('weightless-demo', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('kept');
    return result(opening);
  }

  async read(): Promise<Kept | undefined> {
    const database = await this.#opened;
    const kept = database && (await result(database.transaction('kept').objectStore('kept').get('learner')));
    return kept?.state instanceof Uint8Array && Array.isArray(kept.names) ? kept : undefined;
  }

  /** Whether it is stored. */
  async write(kept: Kept): Promise<boolean> {
    const database = await this.#opened;
    if (!database) return false;
    const store = database.transaction('kept', 'readwrite').objectStore('kept');
    return result(store.put(kept, 'learner')).then(
      () => true,
      () => false,
    );
  }
}
