// What went wrong, in words that say what to do; the raw message comes second, if at all.
import {
  DigestMismatch,
  describeFailure,
  GatewayError,
  MalformedDocument,
  ProtocolError,
  Unreachable,
  UnsupportedGraph,
  WrongDeployment,
} from "../protocol";
import {
  DISCONNECTED,
  findErrorCode,
  REQUEST_PENDING,
  UNAUTHORISED,
  UNKNOWN_CHAIN,
  UNSUPPORTED_METHOD,
  USER_REJECTED,
} from "../wallet/eip1193";
import { ConfigError } from "./config";

export type Described = {
  readonly title: string;
  readonly hint?: string;
  /** The reader declined it: no failure, and nothing to try again unasked. */
  readonly isDeclined?: boolean;
};

const WALLET: Readonly<Record<number, Described>> = {
  [USER_REJECTED]: { title: "You declined in the wallet. Nothing was sent.", isDeclined: true },
  [UNAUTHORISED]: {
    title: "The wallet has not let this page use that account.",
    hint: "Connect again and choose the account.",
  },
  [UNSUPPORTED_METHOD]: { title: "The wallet cannot do this.", hint: "Try another wallet." },
  [DISCONNECTED]: { title: "The wallet lost its connection.", hint: "Open it and connect again." },
  [UNKNOWN_CHAIN]: { title: "The wallet does not know this chain, and did not add it." },
  [REQUEST_PENDING]: {
    title: "The wallet is still asking you something.",
    hint: "Open the wallet and answer the question that waits there.",
  },
};

export function describeError(error: unknown): Described {
  const code = findErrorCode(error);
  const known = code === null ? undefined : WALLET[code];
  if (known !== undefined) return known;
  const failure = describeFailure(error);
  if (failure !== null) return { title: failure.sentence };
  const own = describeOwn(error);
  if (own !== null) return own;
  const message = error instanceof Error ? error.message : String(error);
  return { title: "That did not work.", hint: firstLine(message) };
}

function describeOwn(error: unknown): Described | null {
  if (error instanceof ConfigError) {
    return { title: "This page is not set up.", hint: `${error.message}.` };
  }
  if (error instanceof Unreachable) {
    return {
      title: "The gateway does not answer.",
      hint: `${capitalise(error.message)}. What is on the chain is safe; try again in a moment.`,
    };
  }
  if (error instanceof WrongDeployment) {
    return {
      title: "Gateway and chain do not fit together.",
      hint: `${capitalise(error.message)}.`,
    };
  }
  if (error instanceof DigestMismatch) {
    return {
      title: "What was served is not what its name says, so it is not shown.",
      hint: `${capitalise(error.message)}.`,
    };
  }
  if (error instanceof GatewayError) {
    const title =
      error.status === 429 ? "Too many requests; wait a minute." : "The gateway refused.";
    return { title, hint: `${capitalise(error.message)}.` };
  }
  if (error instanceof UnsupportedGraph || error instanceof MalformedDocument) {
    return { title: capitalise(error.message) };
  }
  return error instanceof ProtocolError ? { title: capitalise(error.message) } : null;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
