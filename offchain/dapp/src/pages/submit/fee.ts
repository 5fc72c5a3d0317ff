// The fee that somebody typed, or the suggestion.
import { AmountError, formatAmount, parseAmount } from "../../protocol";

type Bounds = { readonly suggested: bigint; readonly least: bigint };

export type Fee =
  | { readonly amount: bigint; readonly problem: null }
  | { readonly amount: null; readonly problem: string | null };

const WIDEST = 2n ** 80n; // the vault's credits are as wide

/** `amount` is null while nothing can be ordered for it; `problem` says why, if the reader can mend it. */
export function readFee(text: string | null, prices: Bounds | null): Fee {
  if (prices === null) return { amount: null, problem: null };
  if (text === null) return { amount: prices.suggested, problem: null };
  try {
    const amount = parseAmount(text);
    if (amount === 0n) return { amount: null, problem: "The fee cannot be zero." };
    if (amount >= WIDEST) return { amount: null, problem: "That is more than a job can carry." };
    if (amount < prices.least) {
      return { amount: null, problem: `A proof costs at least ${formatAmount(prices.least)} now.` };
    }
    return { amount, problem: null };
  } catch (error) {
    if (error instanceof AmountError) return { amount: null, problem: `${error.message}.` };
    throw error;
  }
}
