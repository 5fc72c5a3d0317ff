// The index as it changes: one stream of events for all pages that show it, and polling where the stream is down.
import { useSyncExternalStore } from "react";
import { useServices } from "../../app/services";
import { type Data, useData } from "../../app/useData";
import type { GatewayClient, IndexChange, Page, VersionId, VersionItem } from "../../protocol";

const POLL_MS = 5000;
const GATHER_MS = 500; // changes within this time are one refresh
const QUIET_MS = 5000; // blocks that changed no job: stakes and registrations can wait so long

export type Live = {
  /** Grows with every change that was heard of. */
  readonly revision: number;
  /** Whether changes are heard of as they happen; otherwise pages poll. */
  readonly isStreaming: boolean;
};

type Listener = () => void;
type Gateway = Pick<GatewayClient, "listen">;

/** Whether anybody looks at this page, and a way to hear of it. */
export type Visibility = {
  readonly isHidden: () => boolean;
  readonly subscribe: (listener: Listener) => () => void;
};

const PAGE_VISIBILITY: Visibility = {
  isHidden: () => document.visibilityState === "hidden",
  subscribe: (listener) => {
    document.addEventListener("visibilitychange", listener);
    return () => document.removeEventListener("visibilitychange", listener);
  },
};

/**
 * One stream for all who listen; it is closed when the last one leaves, and while nobody looks: a browser has few
 * connections to one server, and its other tabs need them.
 */
export class LiveIndex {
  private live: Live = { revision: 0, isStreaming: false };
  private readonly listeners = new Set<Listener>();
  private close: (() => void) | undefined;
  /** Whether changes may have come while no stream was open. */
  private hasMissed = false;
  private unwatch: (() => void) | undefined;
  private gathering:
    | { readonly timer: ReturnType<typeof setTimeout>; readonly at: number }
    | undefined;

  constructor(
    private readonly gateway: Gateway,
    private readonly visibility: Visibility = PAGE_VISIBILITY,
  ) {}

  readonly get = (): Live => this.live;

  readonly subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    this.unwatch ??= this.visibility.subscribe(this.onVisibility);
    this.onVisibility();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.unwatch?.();
      this.unwatch = undefined;
      this.stop();
    };
  };

  private readonly onVisibility = (): void => {
    if (this.visibility.isHidden()) {
      this.stop();
    } else if (this.close === undefined) {
      this.close = this.gateway.listen(this.onChange, this.onDown);
      if (this.hasMissed) this.refreshWithin(GATHER_MS);
      this.hasMissed = false;
    }
  };

  private stop(): void {
    this.hasMissed = true;
    this.close?.();
    this.close = undefined;
    clearTimeout(this.gathering?.timer);
    this.gathering = undefined;
    this.live = { ...this.live, isStreaming: false };
  }

  private readonly onChange = (change: IndexChange): void => {
    if (!this.live.isStreaming) this.set({ ...this.live, isStreaming: true });
    const isLoud = change.jobs.length > 0 || change.rewoundTo !== null || change.resync;
    this.refreshWithin(isLoud ? GATHER_MS : QUIET_MS);
  };

  /** One refresh for all changes until then; a later promise never puts off an earlier one. */
  private refreshWithin(ms: number): void {
    const at = Date.now() + ms;
    if (this.gathering !== undefined && this.gathering.at <= at) return;
    clearTimeout(this.gathering?.timer);
    const refresh = () => {
      this.gathering = undefined;
      this.set({ ...this.live, revision: this.live.revision + 1 });
    };
    this.gathering = { timer: setTimeout(refresh, ms), at };
  }

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

const MOST_NAMES = 100;

/** Titles of versions, as far as the gateway has their files; others are told by their id. */
export function useVersionNames(): (id: VersionId) => string | null {
  const { gateway } = useServices();
  const data = useData("version names", (signal) =>
    gateway.get<Page<VersionItem>>(`/versions?limit=${MOST_NAMES}`, signal),
  );
  const names = new Map(
    data.status === "ready" ? data.value.items.map(({ id, title }) => [id, title]) : [],
  );
  return (id) => names.get(id) ?? null;
}
