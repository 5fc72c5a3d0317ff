// Amounts in words: exact decimals, never floats.
import { AmountError } from "./errors";
import type { Address } from "./types";
import { ETH } from "./types";

/** How a token's smallest units are written. */
export interface Unit {
  readonly symbol: string;
  readonly decimals: number;
}

export const ETHER: Unit = { symbol: "ETH", decimals: 18 };
const WEI: Unit = { symbol: "wei", decimals: 0 };
export const GWEI: Unit = { symbol: "gwei", decimals: 9 };

const SHORT_DIGITS = 4; // as many as a person compares at a glance
const GROUP = 3;

/** The unit of a token: ETH, or the ERC-20 as the chain describes it. */
export function unitOf(token: Address, erc20: Unit | null): Unit {
  return token === ETH || erc20 === null ? ETHER : erc20;
}

/** "0.001 ETH": every digit. */
export function formatAmount(amount: bigint, unit: Unit = ETHER): string {
  return `${formatDecimal(amount, unit.decimals)} ${unit.symbol}`;
}

const TINY = 10n ** 6n; // below, zeros behind the point say less than the number of wei

/** "0.001235 ETH", "≈" before it where digits are left out: for lists and headings. */
export function formatShort(amount: bigint, unit: Unit = ETHER): string {
  const magnitude = amount < 0n ? -amount : amount;
  if (unit === ETHER && magnitude > 0n && magnitude < TINY) return formatAmount(amount, WEI);
  const digits = magnitude.toString();
  const dropped = digits.length - Math.max(SHORT_DIGITS, digits.length - unit.decimals);
  if (dropped <= 0) return formatAmount(amount, unit);
  const step = 10n ** BigInt(dropped);
  const rounded = ((amount + (amount < 0n ? -step : step) / 2n) / step) * step;
  return `${rounded === amount ? "" : "≈ "}${formatAmount(rounded, unit)}`;
}

/** A number of smallest units as a decimal without trailing zeros. */
export function formatDecimal(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? "−" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, "0");
  const whole = groupThousands(digits.slice(0, digits.length - decimals));
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Smallest units of what a person typed; throws AmountError, which says what is wrong. */
export function parseAmount(text: string, unit: Unit = ETHER): bigint {
  const trimmed = text.trim();
  const match = /^(\d+)(?:\.(\d*))?$|^\.(\d+)$/.exec(trimmed);
  if (match === null) throw new AmountError(`“${trimmed}” is not an amount like 0.01`);
  const whole = match[1] ?? "0";
  const fraction = match[2] ?? match[3] ?? "";
  if (fraction.length > unit.decimals) {
    throw new AmountError(`${unit.symbol} has at most ${unit.decimals} decimals`);
  }
  return BigInt(whole + fraction.padEnd(unit.decimals, "0"));
}

/** Hundredths of a percent as "2.5 %". */
export function formatBps(bps: number): string {
  return `${formatDecimal(BigInt(bps), 2)} %`;
}

function groupThousands(digits: string): string {
  const groups: string[] = [];
  for (let end = digits.length; end > 0; end -= GROUP) {
    groups.unshift(digits.slice(Math.max(0, end - GROUP), end));
  }
  return groups.join(" "); // a narrow no-break space: no comma that could be read as a point
}
