// What this page is connected to: read once, at run time, from the file beside it.

export type Config = {
  /** Base address of the gateway, without a slash at its end. */
  readonly gateway: string;
  /** JSON-RPC endpoint to read the chain from. */
  readonly rpc: string;
  readonly chainId: number;
  /** Offer a wallet that signs with the node's own accounts; only ever on a local chain. */
  readonly developmentWallet: boolean;
  /** The market of the deployment that is meant; null trusts the gateway to name it. */
  readonly market: string | null;
};

/** Chains on which money is play money: Anvil's and Ganache's. */
const LOCAL_CHAINS: readonly number[] = [31337, 1337];

export class ConfigError extends Error {
  override name = "ConfigError";
}

export async function loadConfig(): Promise<Config> {
  const response = await fetch("./config.json", { cache: "no-store" });
  if (!response.ok) throw new ConfigError(`config.json: the server answered ${response.status}`);
  return parseConfig(await response.json());
}

export function parseConfig(raw: unknown): Config {
  if (typeof raw !== "object" || raw === null) throw new ConfigError("config.json is no object");
  const { gateway, rpc, chainId, developmentWallet, market } = raw as Record<string, unknown>;
  if (typeof chainId !== "number" || !Number.isSafeInteger(chainId) || chainId <= 0) {
    throw new ConfigError("config.json: chainId is no chain's number");
  }
  return {
    gateway: parseAddress("gateway", gateway),
    rpc: parseAddress("rpc", rpc),
    chainId,
    developmentWallet: developmentWallet === true && LOCAL_CHAINS.includes(chainId),
    market: parseMarket(market, LOCAL_CHAINS.includes(chainId)),
  };
}

/** Where money is real, nobody but this file says whom it goes to. */
function parseMarket(raw: unknown, isLocal: boolean): string | null {
  if (isLocal && (raw === undefined || raw === null || raw === "")) return null;
  if (typeof raw !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(raw)) {
    throw new ConfigError("config.json: market is no contract's address");
  }
  return raw;
}

function parseAddress(name: string, raw: unknown): string {
  if (typeof raw !== "string" || !/^https?:\/\//.test(raw)) {
    throw new ConfigError(`config.json: ${name} is no http(s) address`);
  }
  return raw.replace(/\/+$/, "");
}
