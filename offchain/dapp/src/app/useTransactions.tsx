// Transactions for pages: one book for all of them, looked through at each block.
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { useWallet } from "../wallet/WalletProvider";
import { useHeadKey, useServices } from "./services";
import { type Call, type Hash, type Transaction, TransactionBook } from "./transactions";

const BookContext = createContext<TransactionBook | null>(null);

export function TransactionsProvider({ children }: { children: ReactNode }) {
  const { reader, config } = useServices();
  const book = useMemo(
    () => new TransactionBook(reader.client, config.chainId),
    [reader, config.chainId],
  );
  const headKey = useHeadKey();
  useEffect(() => {
    if (headKey !== "") book.look().catch(() => undefined); // the node is away; it is looked again at the next block
  }, [book, headKey]);
  return <BookContext value={book}>{children}</BookContext>;
}

function useBook(): TransactionBook {
  const book = useContext(BookContext);
  if (book === null) throw new Error("useBook outside of TransactionsProvider");
  return book;
}

export function useTransactions(): readonly Transaction[] {
  const book = useBook();
  return useSyncExternalStore(book.subscribe, book.getAll);
}

export type Phase = "idle" | "preparing" | "checking" | "signing" | "pending" | "mined" | "failed";

export type Sending = {
  readonly phase: Phase;
  readonly error: unknown;
  readonly record: Transaction | null;
  /** Builds the call, tries it, has it signed; resolves to the hash, or to null if it failed (see `error`). */
  start(build: () => Call | Promise<Call>): Promise<Hash | null>;
  dismiss(): void;
};

/** One step about one subject: from the wallet's question to the block, also across a reload. */
export function useSending(purpose: string, subject: string): Sending {
  const book = useBook();
  const { account, connection } = useWallet();
  const records = useTransactions();
  const [own, setOwn] = useState<{ phase: Phase; error: unknown }>({ phase: "idle", error: null });
  const record = records.findLast((tx) => tx.purpose === purpose && tx.subject === subject) ?? null;

  const start = async (build: () => Call | Promise<Call>): Promise<Hash | null> => {
    if (account === null || connection === null) return null;
    try {
      setOwn({ phase: "preparing", error: null });
      const call = await build();
      setOwn({ phase: "checking", error: null });
      const gas = await book.estimate(account, call);
      setOwn({ phase: "signing", error: null });
      const hash = await book.send(connection.offer.provider, account, call, subject, gas);
      setOwn({ phase: "idle", error: null });
      return hash;
    } catch (error) {
      setOwn({ phase: "failed", error });
      return null;
    }
  };

  const dismiss = () => {
    setOwn({ phase: "idle", error: null });
    if (record !== null) book.dismiss(record.hash);
  };
  if (own.phase !== "idle" || record === null) return { ...own, record, start, dismiss };
  const phase = record.status === "lost" ? "failed" : record.status;
  const error = record.status === "lost" ? new Error(LOST) : (record.error ?? null);
  return { phase, error, record, start, dismiss };
}

const LOST =
  "The node no longer knows this transaction: it was replaced or dropped. Look into your wallet, then try again.";
