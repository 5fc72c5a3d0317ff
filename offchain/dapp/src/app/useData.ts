// Data that arrives later: the four states of everything that is fetched, and a way to try again.
import { useCallback, useEffect, useRef, useState } from "react";

export type Data<T> =
  | { readonly status: "loading"; readonly retry: () => void }
  | { readonly status: "error"; readonly error: Error; readonly retry: () => void }
  | {
      readonly status: "ready";
      readonly value: T;
      readonly stale?: Error;
      readonly retry: () => void;
    };

/**
 * Fetches when `key` changes and, with `everyMs`, again and again while the page is visible.
 *
 * `fetch` may be another function on each render: the key alone says what is fetched; null fetches nothing yet. When
 * `revision` changes it is fetched again, and what was there stays until then. A failed refresh keeps what was there
 * and hands the error over as `stale`.
 */
export function useData<T>(
  key: string | null,
  fetch: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
  revision = "",
): Data<T> {
  type Held = { key: string; value?: T; hasValue: boolean; error?: Error };
  const [held, setHeld] = useState<Held | null>(null);
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(fetch);
  latest.current = fetch;
  const retry = useCallback(() => setAttempt((n) => n + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: attempt and revision are what makes it run again
  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      try {
        const value = await latest.current(controller.signal);
        if (controller.signal.aborted) return;
        setHeld({ key, value, hasValue: true });
      } catch (cause) {
        if (controller.signal.aborted) return;
        const error = cause instanceof Error ? cause : new Error(String(cause));
        setHeld((old) =>
          old?.key === key && old.hasValue ? { ...old, error } : { key, hasValue: false, error },
        );
      }
      if (everyMs !== undefined) timer = setTimeout(tick, everyMs);
    };
    const tick = () => {
      if (document.visibilityState === "hidden") timer = setTimeout(tick, everyMs);
      else void run();
    };
    void run();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [key, everyMs, attempt, revision]);

  if (held === null || held.key !== key) return { status: "loading", retry };
  if (held.hasValue) {
    const ready = { status: "ready" as const, value: held.value as T, retry };
    return held.error ? { ...ready, stale: held.error } : ready;
  }
  return { status: "error", error: held.error ?? new Error("nothing was fetched"), retry };
}
