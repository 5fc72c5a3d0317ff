// What pages stand on: configuration, gateway, the deployment it names, and the chain that this is held against.
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { ErrorBox, Loading } from "../components/basics";
import {
  ChainReader,
  type ClockReading,
  connectChain,
  type Deployment,
  GatewayClient,
  WrongDeployment,
  watchHead,
} from "../protocol";
import { type Config, loadConfig } from "./config";
import { useData } from "./useData";

export type Services = {
  readonly config: Config;
  readonly deployment: Deployment;
  readonly reader: ChainReader;
  readonly gateway: GatewayClient;
};

const ServicesContext = createContext<Services | null>(null);

/** Reads the configuration, asks the gateway for its deployment and holds that against the chain, then shows pages. */
export function ServicesProvider({
  frame,
  children,
}: {
  /** Puts what is shown until then into the page's frame. */
  frame: (waiting: ReactNode) => ReactNode;
  children: ReactNode;
}) {
  const data = useData("services", openServices);
  if (data.status === "loading") return frame(<Loading label="Connecting to gateway and chain" />);
  if (data.status === "error") return frame(<ErrorBox error={data.error} retry={data.retry} />);
  return <ServicesContext value={data.value}>{children}</ServicesContext>;
}

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === null) throw new Error("useServices outside of ServicesProvider");
  return services;
}

async function openServices(signal: AbortSignal): Promise<Services> {
  const config = await loadConfig();
  const gateway = new GatewayClient(config.gateway);
  const deployment = await gateway.getDeployment(signal);
  if (deployment.chainId !== config.chainId) {
    throw new Error(
      `config.json names chain ${config.chainId}, the gateway serves chain ${deployment.chainId}`,
    );
  }
  const { JobMarket } = deployment.contracts;
  if (config.market !== null && config.market.toLowerCase() !== JobMarket.toLowerCase()) {
    throw new WrongDeployment(
      `the gateway serves the market ${JobMarket}, config.json names ${config.market}`,
    );
  }
  const reader = new ChainReader(connectChain(config.rpc, config.chainId), deployment);
  await reader.verifyDeployment();
  return { config, deployment, reader, gateway };
}

export type Head = {
  /** The protocol's clock at the newest block; null before the first. */
  readonly reading: ClockReading | null;
  /** Why no newer block is known; null while all is well. */
  readonly error: unknown;
};

const HeadContext = createContext<Head>({ reading: null, error: null });

/** Follows the head of the chain for all pages at once. */
export function HeadProvider({ children }: { children: ReactNode }) {
  const { reader } = useServices();
  const [head, setHead] = useState<Head>({ reading: null, error: null });
  useEffect(() => {
    let isCurrent = true;
    const onError = (error: unknown) => {
      if (isCurrent) setHead((old) => ({ ...old, error }));
    };
    const stop = watchHead(reader.client, {
      onHead: ({ head: block }) => {
        const seenAtMs = performance.now();
        reader
          .getTime(block)
          .then((time) => {
            if (isCurrent) setHead({ reading: { time, seenAtMs }, error: null });
          })
          .catch(onError);
      },
      onError,
    });
    return () => {
      isCurrent = false;
      stop();
    };
  }, [reader]);
  return <HeadContext value={head}>{children}</HeadContext>;
}

export function useHead(): Head {
  return useContext(HeadContext);
}

/** performance.now(), again each second: for countdowns between two blocks, all of which move at once. */
export function useNow(): number {
  return useSyncExternalStore(subscribeToSeconds, () => now);
}

let now = performance.now();
const waiting = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

function subscribeToSeconds(listener: () => void): () => void {
  waiting.add(listener);
  ticking ??= setInterval(() => {
    now = performance.now();
    for (const each of waiting) each();
  }, 1000);
  return () => {
    waiting.delete(listener);
    if (waiting.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}

/** A string that changes with each block: the key of what is read at the head. */
export function useHeadKey(): string {
  const { reading } = useHead();
  return useMemo(() => reading?.time.block.hash ?? "", [reading]);
}
