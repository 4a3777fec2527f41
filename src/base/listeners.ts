/** Those who want to hear of changes. */
export interface Listeners<News extends readonly unknown[] = []> {
  /** Calls `listener` with every change from now on, until the returned function is called. */
  onChange(listener: (...news: News) => void): () => void;
  /** Calls all who listen now; who comes or goes meanwhile changes nothing about it. */
  tell(...news: News): void;
}

export function createListeners<News extends readonly unknown[] = []>(): Listeners<News> {
  const listeners = new Set<(...news: News) => void>();
  return {
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tell(...news) {
      for (const listener of [...listeners]) listener(...news);
    },
  };
}
