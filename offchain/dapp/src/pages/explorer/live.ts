// The index as it changes: one stream of events for all pages that show it, and polling where the stream is down.
import { useSyncExternalStore } from "react";
import { useServices } from "../../app/services";
import { type Data, useData } from "../../app/useData";
import type { GatewayClient } from "../../protocol";

const POLL_MS = 5000;
const GATHER_MS = 1000; // changes within this time are one refresh

export type Live = {
  /** Grows with every change that was heard of. */
  readonly revision: number;
  /** Whether changes are heard of as they happen; otherwise pages poll. */
  readonly isStreaming: boolean;
};

type Listener = () => void;
type Gateway = Pick<GatewayClient, "listen">;

/** One stream for all who listen; it is closed when the last one leaves. */
export class LiveIndex {
  private live: Live = { revision: 0, isStreaming: false };
  private readonly listeners = new Set<Listener>();
  private close: (() => void) | undefined;
  private gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly gateway: Gateway) {}

  readonly get = (): Live => this.live;

  readonly subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    this.close ??= this.gateway.listen(this.onChange, this.onDown);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.close?.();
      this.close = undefined;
      clearTimeout(this.gathering);
      this.gathering = undefined;
      this.live = { ...this.live, isStreaming: false };
    };
  };

  private readonly onChange = (): void => {
    if (!this.live.isStreaming) this.set({ ...this.live, isStreaming: true });
    this.gathering ??= setTimeout(() => {
      this.gathering = undefined;
      this.set({ ...this.live, revision: this.live.revision + 1 });
    }, GATHER_MS);
  };

  private readonly onDown = (): void => {
    if (this.live.isStreaming) this.set({ ...this.live, isStreaming: false });
  };

  private set(live: Live): void {
    this.live = live;
    for (const listener of this.listeners) listener();
  }
}

const streams = new WeakMap<GatewayClient, LiveIndex>();

function openLive(gateway: GatewayClient): LiveIndex {
  const known = streams.get(gateway);
  if (known !== undefined) return known;
  const opened = new LiveIndex(gateway);
  streams.set(gateway, opened);
  return opened;
}

export function useLive(): Live {
  const live = openLive(useServices().gateway);
  return useSyncExternalStore(live.subscribe, live.get);
}

/** An answer of the index, fetched again whenever the index changes; null fetches nothing. */
export function useIndex<T>(path: string | null): Data<T> {
  const { gateway } = useServices();
  const { revision, isStreaming } = useLive();
  return useData(
    path,
    (signal) => gateway.get<T>(path ?? "", signal),
    isStreaming ? undefined : POLL_MS,
    String(revision),
  );
}
