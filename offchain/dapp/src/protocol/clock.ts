// Time on the protocol's clock. Every deadline is the last second at which the awaited step counts; while the protocol
// is paused the clock stands. A person's own clock only moves a countdown between two blocks, it decides nothing.
import type { ProtocolTime } from "./types";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The protocol's clock at a head and when this page saw it. */
export interface ClockReading {
  readonly time: ProtocolTime;
  /** performance.now() when the head was seen. */
  readonly seenAtMs: number;
}

/** Seconds until the deadline is over, as a countdown may show it: never below 0; stands while paused. */
export function estimateRemaining(reading: ClockReading, deadline: number, nowMs: number): number {
  const passed = reading.time.isPaused ? 0 : Math.floor((nowMs - reading.seenAtMs) / 1000);
  return Math.max(0, deadline + 1 - (reading.time.clock + Math.max(0, passed)));
}

/** Whether the deadline's last second is over at this block: what the contracts decide by. */
export function isOver(time: ProtocolTime, deadline: number): boolean {
  return time.clock > deadline;
}

/** The day and hour at which a second of the protocol's clock comes if nothing is paused any more. */
export function toWallTime(time: ProtocolTime, second: number): Date {
  return new Date((time.block.timestamp + (second - time.clock)) * 1000);
}

/** "1 h 04 min", "3 min 20 s", "12 s". */
export function formatSeconds(seconds: number): string {
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return joinUnits(seconds, MINUTE, "min", 1, "s");
  if (seconds < DAY) return joinUnits(seconds, HOUR, "h", MINUTE, "min");
  return joinUnits(seconds, DAY, "d", HOUR, "h");
}

function joinUnits(seconds: number, size: number, name: string, part: number, partName: string) {
  const rest = Math.floor((seconds % size) / part);
  const whole = `${Math.floor(seconds / size)} ${name}`;
  return rest === 0 ? whole : `${whole} ${String(rest).padStart(2, "0")} ${partName}`;
}
