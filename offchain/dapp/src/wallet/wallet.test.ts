import { describe, expect, test, vi } from "vitest";
import { createDevelopmentWallet } from "./development";
import { discoverWallets, readAnnouncement } from "./discovery";
import { type Eip1193Provider, findErrorCode, type WalletOffer } from "./eip1193";
import { connect, switchChain, watchWallet } from "./session";

const ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const CHAIN = { chainId: 31337, name: "Local chain", rpc: "http://127.0.0.1:8545" };

/** A wallet that answers by method; a function may throw. */
function makeProvider(answers: Record<string, () => unknown>) {
  const request = vi.fn(async ({ method }: { method: string; params?: unknown }) =>
    answers[method]?.(),
  );
  return { request } satisfies Eip1193Provider;
}

function offer(provider: Eip1193Provider): WalletOffer {
  return { id: "x", name: "X", icon: null, kind: "announced", provider };
}

function fail(code: number): never {
  throw Object.assign(new Error("no"), { code });
}

describe("a wallet that announces itself", () => {
  const provider = makeProvider({});
  const info = { uuid: "1", name: "Fox", rdns: "io.fox", icon: "data:image/svg+xml,x" };

  test("is offered by its name", () => {
    expect(readAnnouncement({ info, provider })).toMatchObject({ id: "io.fox", name: "Fox" });
  });

  test("has its icon fetched from nowhere", () => {
    const elsewhere = { ...info, icon: "https://evil.example/pixel.png" };
    expect(readAnnouncement({ info: elsewhere, provider })?.icon).toBeNull();
  });

  test.each([[null], [{}], [{ info }], [{ info, provider: {} }], [{ info: {}, provider }]])(
    "is none if it is %o",
    (detail) => expect(readAnnouncement(detail)).toBeNull(),
  );

  test("is listed once, and instead of window.ethereum", () => {
    const target = Object.assign(new EventTarget(), { ethereum: provider }) as unknown as Window;
    const seen: string[][] = [];
    const stop = discoverWallets(target, (offers) => seen.push(offers.map(({ id }) => id)));
    expect(seen).toEqual([["injected"]]);
    const announce = () =>
      target.dispatchEvent(
        Object.assign(new Event("eip6963:announceProvider"), { detail: { info, provider } }),
      );
    announce();
    announce();
    expect(seen).toEqual([["injected"], ["io.fox"]]);
    stop();
  });
});

describe("a connection", () => {
  test("has checksummed accounts and the wallet's chain", async () => {
    const provider = makeProvider({
      eth_requestAccounts: () => [ACCOUNT.toLowerCase(), "nonsense"],
      eth_chainId: () => "0x7a69",
    });
    const made = await connect(offer(provider));
    expect(made).toMatchObject({ accounts: [ACCOUNT], chainId: 31337 });
  });

  test("asks nothing of the user while it only looks", async () => {
    const provider = makeProvider({ eth_accounts: () => [] });
    expect(await connect(offer(provider), true)).toBeNull();
    expect(provider.request).not.toHaveBeenCalledWith({ method: "eth_requestAccounts" });
  });

  test("without an account is an error when it was asked for", async () => {
    await expect(connect(offer(makeProvider({ eth_requestAccounts: () => [] })))).rejects.toThrow(
      "no account",
    );
  });

  test("follows the wallet until it is let go", () => {
    const listeners = new Map<string, (payload: never) => void>();
    const provider: Eip1193Provider = {
      request: async () => null,
      on: (name, listener) => listeners.set(name, listener),
      removeListener: (name) => listeners.delete(name),
    };
    const watcher = { onAccounts: vi.fn(), onChain: vi.fn(), onDisconnect: vi.fn() };
    const stop = watchWallet(provider, watcher);
    listeners.get("accountsChanged")?.([ACCOUNT] as never);
    listeners.get("chainChanged")?.("0x1" as never);
    listeners.get("disconnect")?.(undefined as never);
    expect(watcher.onAccounts).toHaveBeenCalledWith([ACCOUNT]);
    expect(watcher.onChain).toHaveBeenCalledWith(1);
    expect(watcher.onDisconnect).toHaveBeenCalledOnce();
    stop();
    expect(listeners.size).toBe(0);
  });
});

describe("the way to another chain", () => {
  test("adds a chain that the wallet does not know, then goes there", async () => {
    let isAdded = false;
    const provider = makeProvider({
      wallet_switchEthereumChain: () => (isAdded ? null : fail(4902)),
      wallet_addEthereumChain: () => {
        isAdded = true;
        return null;
      },
      eth_chainId: () => "0x1",
    });
    await switchChain(provider, CHAIN);
    const methods = provider.request.mock.calls.map(([{ method }]) => method);
    expect(methods.filter((m) => m === "wallet_switchEthereumChain")).toHaveLength(2);
    expect(methods).toContain("wallet_addEthereumChain");
  });

  test("adds nothing when the user declines", async () => {
    const provider = makeProvider({ wallet_switchEthereumChain: () => fail(4001) });
    await expect(switchChain(provider, CHAIN)).rejects.toMatchObject({ code: 4001 });
    expect(provider.request).toHaveBeenCalledTimes(1);
  });
});

describe("a provider's error code", () => {
  test("is found however deep it lies", () => {
    expect(findErrorCode({ code: 4001 })).toBe(4001);
    expect(
      findErrorCode(new Error("a", { cause: new Error("b", { cause: { code: 4902 } }) })),
    ).toBe(4902);
    expect(findErrorCode({ code: -32603, data: { originalError: { code: 4902 } } })).toBe(4902);
  });

  test("is null where there is none", () => {
    expect(findErrorCode(new Error("plain"))).toBeNull();
    expect(findErrorCode("text")).toBeNull();
  });
});

describe("the development wallet", () => {
  test("lets the node sign, and hands its errors on with code and data", async () => {
    const fetched = vi.fn(async (_url: string, init: RequestInit) => {
      const { method } = JSON.parse(String(init.body));
      const error = { code: 3, message: "reverted", data: "0x1234" };
      return Response.json(method === "eth_accounts" ? { result: [ACCOUNT] } : { error });
    });
    vi.stubGlobal("fetch", fetched);
    const { provider, kind } = createDevelopmentWallet(CHAIN.rpc);
    expect(kind).toBe("development");
    expect(await provider.request({ method: "eth_requestAccounts" })).toEqual([ACCOUNT]);
    await expect(provider.request({ method: "eth_sendTransaction" })).rejects.toMatchObject({
      code: 3,
      data: "0x1234",
    });
    vi.unstubAllGlobals();
  });
});
