// The small parts that every page uses.
import { type ButtonHTMLAttributes, type ReactNode, useEffect, useRef, useState } from "react";
import { describeError } from "../app/errors";
import type { Data } from "../app/useData";
import {
  CheckIcon,
  CopyIcon,
  CrossIcon,
  InboxIcon,
  InfoIcon,
  RefreshIcon,
  WarnIcon,
} from "./icons";

export type Tone = "neutral" | "accent" | "good" | "warn" | "bad";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  readonly look?: "primary" | "danger" | "plain";
  readonly size?: "small" | "wide";
  readonly isBusy?: boolean;
};

export function Button({ look, size, isBusy, children, className, ...rest }: ButtonProps) {
  const classes = ["button", look && `button-${look}`, size && `button-${size}`, className];
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(" ")}
      disabled={rest.disabled || isBusy}
      aria-busy={isBusy || undefined}
    >
      {isBusy ? <span className="spinner" aria-hidden="true" /> : null}
      {children}
    </button>
  );
}

type CardProps = {
  readonly title?: ReactNode;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly isSunken?: boolean;
  readonly testId?: string;
};

/** A region of a page; with a title it is a landmark that screen readers list. */
export function Card({ title, aside, children, isSunken, testId }: CardProps) {
  return (
    <section className={isSunken ? "card card-sunken" : "card"} data-testid={testId}>
      {title === undefined ? null : (
        <header>
          <h2>{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}

export function PageHead({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

export function Pill({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={tone === "neutral" ? "pill" : `pill pill-${tone}`}>{children}</span>;
}

type NoticeProps = {
  readonly tone?: Tone;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  /** Read out when it appears; for what the reader did not ask for. */
  readonly isAlert?: boolean;
  readonly testId?: string;
};

export function Notice({ tone = "neutral", title, children, isAlert, testId }: NoticeProps) {
  const Icon = {
    neutral: InfoIcon,
    accent: InfoIcon,
    good: CheckIcon,
    warn: WarnIcon,
    bad: WarnIcon,
  };
  const Shown = Icon[tone];
  return (
    <div
      className={`notice notice-${tone}`}
      role={isAlert ? "alert" : undefined}
      data-testid={testId}
    >
      <Shown />
      <div className="stack tight">
        {title === undefined ? null : <div className="notice-title">{title}</div>}
        {children}
      </div>
    </div>
  );
}

/** A hash or address: its first and last digits, the whole in the clipboard on demand. */
export function Hex({ value, href, label }: { value: string; href?: string; label?: string }) {
  const short = shortenHex(value);
  const text = <span className="mono">{short}</span>;
  return (
    <span className="hex" title={value}>
      {href === undefined ? text : <a href={href}>{text}</a>}
      <CopyButton value={value} label={label ?? short} />
    </span>
  );
}

export function shortenHex(value: string): string {
  return value.length > 14 ? `${value.slice(0, 8)}…${value.slice(-4)}` : value;
}

export function CopyButton({ value, label }: { value: string; label: string }) {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    await navigator.clipboard?.writeText(value);
    setIsCopied(true);
  };
  return (
    <button
      type="button"
      className="icon-button"
      onClick={copy}
      aria-label={isCopied ? "Copied" : `Copy ${label}`}
    >
      {isCopied ? <CheckIcon /> : <CopyIcon />}
    </button>
  );
}

export function Facts({ children }: { children: ReactNode }) {
  return <dl className="facts">{children}</dl>;
}

type FactProps = {
  readonly name: ReactNode;
  readonly children: ReactNode;
  /** A sentence, which goes below its name instead of beside it. */
  readonly isLong?: boolean;
};

export function Fact({ name, children, isLong }: FactProps) {
  return (
    <div className={isLong ? "fact-long" : undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

type EmptyProps = { readonly title: string; readonly children?: ReactNode };

export function Empty({ title, children }: EmptyProps) {
  return (
    <div className="empty" data-testid="empty">
      <InboxIcon />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Loading({ lines = 3, label = "Loading" }: { lines?: number; label?: string }) {
  return (
    <div className="stack" role="status" data-testid="loading">
      <span className="visually-hidden">{label}…</span>
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <div key={i} className="skeleton" style={{ width: `${92 - ((i * 23) % 40)}%` }} />
      ))}
    </div>
  );
}

export function ErrorBox({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, hint } = describeError(error);
  return (
    <Notice tone="bad" title={title} isAlert testId="error">
      {hint === undefined ? null : <p className="small">{hint}</p>}
      {retry === undefined ? null : (
        <div>
          <Button size="small" onClick={retry}>
            <RefreshGlyph /> Try again
          </Button>
        </div>
      )}
    </Notice>
  );
}

function RefreshGlyph() {
  return (
    <span className="glyph">
      <RefreshIcon />
    </span>
  );
}

type AsyncProps<T> = {
  readonly data: Data<T>;
  readonly lines?: number;
  readonly children: (value: T) => ReactNode;
};

/** Shows what was fetched, or why it is not there. */
export function Async<T>({ data, lines, children }: AsyncProps<T>) {
  if (data.status === "loading") return <Loading {...(lines === undefined ? {} : { lines })} />;
  if (data.status === "error") return <ErrorBox error={data.error} retry={data.retry} />;
  return (
    <>
      {data.stale === undefined ? null : (
        <Notice tone="warn" title="Shown as it was a moment ago">
          <p className="small">{describeError(data.stale).title} It is being tried again.</p>
        </Notice>
      )}
      {children(data.value)}
    </>
  );
}

type DialogProps = {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly testId?: string;
};

/** A modal dialog: keeps the focus inside, closes with Escape, gives the focus back. */
export function Dialog({ title, onClose, children, testId }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} className="dialog" aria-label={title} onClose={onClose} data-testid={testId}>
      <div className="dialog-body">
        <div className="row spread">
          <h2>{title}</h2>
          <button type="button" className="icon-button" onClick={onClose} aria-label="Close">
            <CrossIcon />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
