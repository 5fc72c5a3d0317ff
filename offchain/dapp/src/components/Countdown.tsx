// Time until a deadline of the protocol's clock. It counts by this browser's clock between blocks and decides nothing.
import { useHead, useNow } from "../app/services";
import { estimateRemaining, formatSeconds, isOver } from "../protocol";

export function Countdown({ deadline }: { deadline: number }) {
  const { reading } = useHead();
  const now = useNow();
  if (reading === null) return <span>…</span>;
  if (isOver(reading.time, deadline)) return <span>time is over</span>;
  const remaining = formatSeconds(estimateRemaining(reading, deadline, now));
  return (
    <span className="countdown" role="timer" data-testid="countdown">
      {reading.time.isPaused ? `${remaining} (paused)` : remaining}
    </span>
  );
}

/** Share of a stretch of time that is still left, 1 to 0, as a bar. */
export function TimeBar({ deadline, length }: { deadline: number; length: number }) {
  const { reading } = useHead();
  const now = useNow();
  if (reading === null) return null;
  const part = Math.min(1, estimateRemaining(reading, deadline, now) / Math.max(1, length));
  return (
    <div className="time-bar" aria-hidden="true">
      <div style={{ width: `${100 * part}%` }} />
    </div>
  );
}
