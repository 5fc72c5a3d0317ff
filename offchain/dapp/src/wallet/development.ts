// A wallet for play money: the node of a local chain signs with its own unlocked accounts. No key is in this page.
import type { Eip1193Provider, WalletOffer } from "./eip1193";

/** Thrown as a provider throws: with a code. */
class NodeError extends Error {
  override name = "NodeError";
  readonly code: number;
  readonly data: unknown;

  constructor(message: string, code: number, data: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Only for local chains: `config.ts` offers it nowhere else. */
export function createDevelopmentWallet(rpc: string): WalletOffer {
  return {
    id: "zkdps.development",
    name: "Development wallet",
    icon: null,
    kind: "development",
    provider: createNodeProvider(rpc),
  };
}

function createNodeProvider(rpc: string): Eip1193Provider {
  let nextId = 1;
  const call = async (method: string, params: unknown): Promise<unknown> => {
    const response = await fetch(rpc, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: nextId++, method, params: params ?? [] }),
    });
    const answer = (await response.json()) as {
      result?: unknown;
      error?: { message: string; code: number; data?: unknown };
    };
    if (answer.error !== undefined) {
      throw new NodeError(answer.error.message, answer.error.code, answer.error.data);
    }
    return answer.result;
  };
  return {
    request: ({ method, params }) =>
      call(method === "eth_requestAccounts" ? "eth_accounts" : method, params),
  };
}
