// How the explorer writes what it shows.
import { formatShort, JOB_STATES, type JobState, type Unit } from "../../protocol";

/** "open" as the contracts' OPEN; NONE for what this page does not know. */
export function toJobState(state: string): JobState {
  return JOB_STATES.find((name) => name.toLowerCase() === state) ?? "NONE";
}

/** Sum of some states' counts; of all without names. */
export function countStates(
  counts: Readonly<Record<string, number>>,
  ...states: readonly string[]
): number {
  const named = states.length === 0 ? Object.keys(counts) : states;
  return named.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

export function formatUnits(amount: string, unit: Unit): string {
  return formatShort(BigInt(amount), unit);
}

/** 0.9972 as "99.72 %"; anything that is no number as "–". */
export function formatShare(value: unknown): string {
  return typeof value === "number" ? `${Number((100 * value).toFixed(2))} %` : "–";
}

/** 123456 as "123 456". */
export function formatCount(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** "1 job", "2 jobs". */
export function countWords(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** 1536 as "1.5 KiB". */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let [value, k] = [bytes, 0];
  while (value >= 1024 && k < units.length - 1) [value, k] = [value / 1024, k + 1];
  return `${Number(value.toFixed(1))} ${units[k]}`;
}

/** "just now", "5 min ago", "3 d ago": from a block's time to the newest block's. */
export function formatAgo(seconds: number): string {
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** A query with what is set, as the gateway and this page's own addresses write it. */
export function toQuery(entries: Readonly<Record<string, string | null | undefined>>): string {
  const set = Object.entries(entries).filter((entry): entry is [string, string] => !!entry[1]);
  return set.length === 0 ? "" : `?${new URLSearchParams(set)}`;
}
