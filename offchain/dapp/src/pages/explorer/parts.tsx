// What all pages of the explorer are made of.
import type { ReactNode } from "react";
import { link } from "../../app/router";
import { useHead, useServices } from "../../app/services";
import { type Data, useData } from "../../app/useData";
import { Async, Empty, Hex, PageHead, Pill, type Tone } from "../../components/basics";
import { type AsOf, ETH, ETHER, type Page } from "../../protocol";
import { STATES } from "../../texts";
import { toneOf } from "../job/steps";
import { formatAgo, formatUnits, toJobState } from "./format";
import { useLive } from "./live";
import { LEADS, TITLES } from "./texts";

export type Section = keyof typeof TITLES;

const TABS: readonly { readonly section: Section; readonly path: string }[] = [
  { section: "overview", path: "explorer" },
  { section: "models", path: "models" },
  { section: "operators", path: "operators" },
  { section: "jobs", path: "jobs" },
  { section: "disputes", path: "disputes" },
  { section: "sessions", path: "sessions" },
];

/** On a narrow screen the tabs scroll sideways: the present one must be in sight. */
function showTab(tab: HTMLAnchorElement | null): void {
  const tabs = tab?.parentElement;
  if (!tab || !tabs) return;
  tabs.scrollLeft = tab.offsetLeft - (tabs.clientWidth - tab.clientWidth) / 2;
}

type FrameProps = {
  readonly section: Section;
  /** Where it is not the section's own title. */
  readonly title?: ReactNode;
  readonly lead?: ReactNode;
  readonly children: ReactNode;
};

/** The explorer's tabs above one of its pages. */
export function ExplorerFrame({ section, title, lead, children }: FrameProps) {
  return (
    <div className="explorer">
      <nav className="tabs" aria-label="Explorer">
        {TABS.map(({ section: name, path }) => (
          <a
            key={name}
            ref={name === section ? showTab : undefined}
            href={link(path)}
            aria-current={name === section ? "page" : undefined}
            data-testid={`tab-${name}`}
          >
            {name === "overview" ? "Overview" : TITLES[name]}
          </a>
        ))}
      </nav>
      <PageHead title={title ?? TITLES[section]}>
        <p>{lead ?? LEADS[section]}</p>
      </PageHead>
      <div className="stack loose">{children}</div>
    </div>
  );
}

const LATE_S = 60; // an index that follows is never so far behind

/** Which block a list is true of: the gateway may lag behind the chain. */
export function AsOfLabel({ asOf }: { asOf: AsOf }) {
  const { reading } = useHead();
  const { isStreaming } = useLive();
  const late = reading === null ? 0 : reading.time.block.timestamp - asOf.timestamp;
  const behind = reading === null ? 0 : Number(reading.time.block.number) - asOf.block;
  return (
    <p className="as-of small faint" data-testid="as-of">
      <span className={isStreaming ? "live-dot" : "live-dot live-dot-off"} aria-hidden="true" />
      <span>
        By the gateway's index, as of block {asOf.block}
        {late > LATE_S ? `, ${behind} blocks behind the chain` : ""}.{" "}
        {isStreaming ? "Changes appear by themselves." : "Looked up again every few seconds."}
      </span>
    </p>
  );
}

type ListProps<T> = {
  readonly data: Data<Page<T>>;
  readonly empty: readonly [string, string];
  /** Address of a page of this list; "" is the first. */
  readonly pageLink: (cursor: string) => string;
  readonly isFirst: boolean;
  readonly children: (items: readonly T[]) => ReactNode;
};

/** One page of a list: its rows, its block, and the way to older rows. */
export function PagedList<T>({ data, empty, pageLink, isFirst, children }: ListProps<T>) {
  return (
    <Async data={data} lines={6}>
      {({ items, next, asOf }) => (
        <div className="stack">
          {items.length === 0 ? (
            <Empty title={empty[0]}>
              <p>{empty[1]}</p>
            </Empty>
          ) : (
            children(items)
          )}
          <div className="row spread">
            <AsOfLabel asOf={asOf} />
            <Pager next={next} pageLink={pageLink} isFirst={isFirst} />
          </div>
        </div>
      )}
    </Async>
  );
}

function Pager({
  next,
  pageLink,
  isFirst,
}: {
  next: string | null;
  pageLink: (cursor: string) => string;
  isFirst: boolean;
}) {
  if (isFirst && next === null) return null;
  return (
    <nav className="row" aria-label="Pages">
      {isFirst ? null : (
        <a className="button button-small" href={pageLink("")}>
          Newest
        </a>
      )}
      {next === null ? null : (
        <a className="button button-small" href={pageLink(next)} data-testid="older">
          Older
        </a>
      )}
    </nav>
  );
}

/* SMALL PARTS OF ROWS */

/** A cell that may be empty: a dash in a table, left out where rows are cards. */
export function Cell({ label, children }: { label: string; children: ReactNode }) {
  if (children !== null) return <td data-label={label}>{children}</td>;
  return (
    <td data-label={label} className="cell-empty">
      <span className="faint">–</span>
    </td>
  );
}

export function JobPill({ state }: { state: string }) {
  const known = toJobState(state);
  return <Pill tone={toneOf(known)}>{STATES[known].name}</Pill>;
}

/** A state by a table of words; what the table does not know is written as it came. */
export function StatePill({
  state,
  words,
}: {
  state: string;
  words: Readonly<Record<string, { name: string; tone: Tone }>>;
}) {
  const known = words[state];
  return <Pill tone={known?.tone ?? "neutral"}>{known?.name ?? state}</Pill>;
}

export function JobLink({ id }: { id: string }) {
  return <Hex value={id} href={link("jobs", id)} label="the job's id" />;
}

export function AccountLink({ address }: { address: string | null }) {
  if (address === null || address === ETH) return <span className="faint">nobody</span>;
  return <Hex value={address} href={link("accounts", address)} label="the address" />;
}

export function OperatorLink({ address }: { address: string | null }) {
  if (address === null || address === ETH) return <span className="faint">none yet</span>;
  return <Hex value={address} href={link("operators", address)} label="the operator's address" />;
}

/** A version by its title where that is known, by its id otherwise. */
export function VersionLink({ id, name = null }: { id: string; name?: string | null }) {
  if (name !== null) return <a href={link("models", id)}>{name}</a>;
  return <Hex value={id} href={link("models", id)} label="the version's id" />;
}

/** When a block was made: relative, with date and time in a tooltip. */
export function When({ seconds }: { seconds: number }) {
  const { reading } = useHead();
  const date = new Date(seconds * 1000);
  const ago = reading === null ? null : Math.max(0, reading.time.block.timestamp - seconds);
  return (
    <time dateTime={date.toISOString()} title={date.toLocaleString()}>
      {ago === null ? date.toLocaleString() : formatAgo(ago)}
    </time>
  );
}

/** An amount in ETH, or in the deployment's one ERC-20. */
export function Amount({ amount, token = ETH }: { amount: string; token?: string }) {
  if (token !== ETH) return <TokenAmount amount={amount} />;
  return <span className="amount">{formatUnits(amount, ETHER)}</span>;
}

function TokenAmount({ amount }: { amount: string }) {
  const { reader } = useServices();
  const data = useData("token", () => reader.getTokenUnit());
  if (data.status !== "ready") return <span className="amount">…</span>;
  return <span className="amount">{formatUnits(amount, data.value ?? ETHER)}</span>;
}

/** A number with its name, in the overview. */
export function Stat({
  name,
  value,
  note,
  href,
}: {
  name: string;
  value: string;
  note?: ReactNode;
  href?: string;
}) {
  const content = (
    <>
      <span className="stat-value">{value}</span>
      <span className="stat-name">{name}</span>
      {note === undefined ? null : <span className="small faint">{note}</span>}
    </>
  );
  return href === undefined ? (
    <div className="stat">{content}</div>
  ) : (
    <a className="stat" href={href}>
      {content}
    </a>
  );
}
