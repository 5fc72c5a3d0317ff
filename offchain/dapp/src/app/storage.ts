// What this browser remembers for its user. The chain holds all that counts: losing this costs comfort only.

const PREFIX = "zkdps.";

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Full or closed: the page works without.
  }
}

/** What was remembered; null if nothing was, or it cannot be read. */
export function recall<T>(key: string): T | null {
  try {
    const raw = localStorage.getItem(PREFIX + key);
    return raw === null ? null : (JSON.parse(raw) as T);
  } catch {
    return null;
  }
}

export function forget(key: string): void {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch {
    // Closed storage remembers nothing anyway.
  }
}

/** All keys that begin so, without the page's own prefix. */
export function listRemembered(beginning: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX + beginning))
      .map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}
