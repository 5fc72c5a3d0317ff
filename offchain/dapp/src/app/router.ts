// Where one is: the part of the address behind "#". A static server needs no rules for it.
import { useSyncExternalStore } from "react";

export type Route = { readonly path: readonly string[]; readonly query: URLSearchParams };

/** Splits "#/jobs/0x12?tab=events" into its path ["jobs", "0x12"] and its query. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return {
    path: path.split("/").filter(Boolean).map(decode),
    query: new URLSearchParams(query),
  };
}

/** The address of a page: `link("jobs", id)` is "#/jobs/0x12". */
export function link(...path: readonly string[]): string {
  return `#/${path.map(encodeURIComponent).join("/")}`;
}

/** Goes to a page, as if its link had been followed. */
export function navigate(...path: readonly string[]): void {
  window.location.hash = link(...path);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return parseRoute(hash);
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray per cent sign: somebody typed the address
  }
}
