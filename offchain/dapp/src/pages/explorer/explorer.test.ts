import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseRoute } from "../../app/router";
import type { IndexChange } from "../../protocol";
import { chooseExplorerPage } from ".";
import {
  countStates,
  countWords,
  formatAgo,
  formatBytes,
  formatCount,
  formatShare,
  toJobState,
  toQuery,
} from "./format";
import { LiveIndex } from "./live";
import { EXPLORER_PATHS } from "./paths";

const WORD = `0x${"5a".repeat(32)}`;
const ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

describe("what is shown", () => {
  test("states are the contracts', and unknown ones are nobody's", () => {
    expect(toJobState("committed")).toBe("COMMITTED");
    expect(toJobState("melted")).toBe("NONE");
    expect(countStates({ open: 2, final: 3 })).toBe(5);
    expect(countStates({ open: 2, final: 3 }, "final", "proven")).toBe(3);
  });

  test("numbers are written for people", () => {
    expect([0, 999, 1000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1 000", "1 234 567"]);
    expect([40, 1536, 3 * 2 ** 20].map(formatBytes)).toEqual(["40 B", "1.5 KiB", "3 MiB"]);
    expect([1, 0.99722, "x", undefined].map(formatShare)).toEqual(["100 %", "99.72 %", "–", "–"]);
    expect([0, 59, 60, 7200, 200_000].map(formatAgo)).toEqual([
      "just now",
      "59 s ago",
      "1 min ago",
      "2 h ago",
      "2 d ago",
    ]);
    expect(countWords(1, "job", "jobs") + countWords(2, "job", "jobs")).toBe("1 job2 jobs");
  });

  test("queries hold what is set", () => {
    expect(toQuery({ state: undefined, cursor: "" })).toBe("");
    expect(toQuery({ state: "open", cursor: "a b" })).toBe("?state=open&cursor=a+b");
  });
});

describe("addresses", () => {
  const isPage = (hash: string) => chooseExplorerPage(parseRoute(hash)) !== null;

  test("lists and records have pages", () => {
    const lists = EXPLORER_PATHS.filter((path) => isPage(`#/${path}`));
    expect(lists).toEqual(["explorer", "models", "operators", "jobs", "disputes", "sessions"]);
    for (const path of [
      `models/${WORD}`,
      `sessions/${WORD}`,
      `batches/${WORD.toUpperCase().replace("0X", "0x")}`,
    ]) {
      expect(isPage(`#/${path}`)).toBe(true);
    }
    expect(isPage(`#/operators/${ADDRESS.toLowerCase()}`)).toBe(true);
    expect(isPage(`#/accounts/${ADDRESS}`)).toBe(true);
  });

  test("anything else is not the explorer's", () => {
    for (const path of [
      "models/0x12",
      `operators/${WORD}`,
      `jobs/${ADDRESS}`,
      "nothing",
      `models/${WORD}/x`,
    ]) {
      expect(isPage(`#/${path}`)).toBe(false);
    }
  });
});

describe("the stream of changes", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const quiet: IndexChange = {
    block: 1,
    hash: "0x",
    timestamp: 0,
    jobs: [],
    rewoundTo: null,
    resync: false,
  };

  function open() {
    const visibility = { isHidden: false, listener: () => {} };
    const opened: { change: (change: IndexChange) => void; down: () => void }[] = [];
    const close = vi.fn();
    const live = new LiveIndex(
      {
        listen: (change, down = () => undefined) => {
          opened.push({ change, down });
          return close;
        },
      },
      {
        isHidden: () => visibility.isHidden,
        subscribe: (listener) => {
          visibility.listener = listener;
          return () => {
            visibility.listener = () => undefined;
          };
        },
      },
    );
    return { live, opened, close, visibility };
  }

  test("is one for all listeners, and closes with the last", () => {
    const { live, opened, close } = open();
    const [first, second] = [live.subscribe(vi.fn()), live.subscribe(vi.fn())];
    expect(opened).toHaveLength(1);
    first();
    expect(close).not.toHaveBeenCalled();
    second();
    expect(close).toHaveBeenCalledTimes(1);
    live.subscribe(vi.fn());
    expect(opened).toHaveLength(2);
  });

  test("gathers changes into one refresh, soon for jobs and later for quiet blocks", () => {
    const { live, opened } = open();
    live.subscribe(vi.fn());
    opened[0]?.change(quiet);
    expect(live.get()).toEqual({ revision: 0, isStreaming: true });
    vi.advanceTimersByTime(1000);
    opened[0]?.change({ ...quiet, jobs: ["0x01"] });
    opened[0]?.change({ ...quiet, jobs: ["0x02"] });
    vi.advanceTimersByTime(500);
    expect(live.get().revision).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(live.get().revision).toBe(1);
    opened[0]?.change(quiet);
    vi.advanceTimersByTime(4999);
    expect(live.get().revision).toBe(1);
    vi.advanceTimersByTime(1);
    expect(live.get().revision).toBe(2);
    opened[0]?.change({ ...quiet, rewoundTo: 0 });
    vi.advanceTimersByTime(500);
    expect(live.get().revision).toBe(3);
  });

  test("that breaks off leaves pages to polling until it is back", () => {
    const { live, opened } = open();
    live.subscribe(vi.fn());
    opened[0]?.change(quiet);
    opened[0]?.down();
    expect(live.get().isStreaming).toBe(false);
    opened[0]?.change({ ...quiet, resync: true });
    expect(live.get().isStreaming).toBe(true);
  });

  test("is closed while nobody looks, and opened again", () => {
    const { live, opened, close, visibility } = open();
    const leave = live.subscribe(vi.fn());
    opened[0]?.change(quiet);
    visibility.isHidden = true;
    visibility.listener();
    expect(close).toHaveBeenCalledTimes(1);
    expect(live.get().isStreaming).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(live.get().revision).toBe(0);
    visibility.isHidden = false;
    visibility.listener();
    expect(opened).toHaveLength(2);
    vi.advanceTimersByTime(500);
    expect(live.get().revision).toBe(1); // what came meanwhile was missed
    leave();
    visibility.listener();
    expect(opened).toHaveLength(2);
    expect(close).toHaveBeenCalledTimes(2);
  });
});
