// A button that sends a transaction: connects first where that is missing, then says at each moment what happens.
import type { ReactNode } from "react";
import { describeError } from "../app/errors";
import type { Call } from "../app/transactions";
import { type Phase, type Sending, useSending } from "../app/useTransactions";
import { PHASES } from "../texts";
import { useWallet } from "../wallet/WalletProvider";
import { Button, Hex, Notice } from "./basics";
import { useWalletDialog } from "./WalletDialog";

type ActionButtonProps = {
  readonly children: ReactNode;
  readonly purpose: string;
  readonly subject: string;
  readonly build: () => Call | Promise<Call>;
  readonly onSent?: () => void;
  readonly look?: "primary" | "danger" | "plain";
  readonly size?: "small" | "wide";
  readonly isDisabled?: boolean;
  readonly testId?: string;
};

const BUSY: readonly Phase[] = ["preparing", "checking", "signing", "pending"];

export function ActionButton(props: ActionButtonProps) {
  const { children, purpose, subject, build, onSent, look, size, isDisabled, testId } = props;
  const sending = useSending(purpose, subject);
  const isBusy = BUSY.includes(sending.phase);
  const click = async () => {
    const hash = await sending.start(build);
    if (hash !== null) onSent?.();
  };
  return (
    <div className="stack tight action">
      <WalletGate
        {...(size === undefined ? {} : { size })}
        {...(testId === undefined ? {} : { testId })}
      >
        <Button
          {...(look === undefined ? {} : { look })}
          {...(size === undefined ? {} : { size })}
          isBusy={isBusy}
          disabled={isDisabled ?? false}
          onClick={click}
          data-testid={testId}
        >
          {children}
        </Button>
      </WalletGate>
      <SendingStatus sending={sending} />
    </div>
  );
}

type WalletGateProps = {
  readonly children: ReactNode;
  readonly size?: "small" | "wide";
  readonly testId?: string;
};

/** Its child where a wallet is connected and on the right chain; otherwise the step towards that. */
export function WalletGate({ children, size, testId }: WalletGateProps) {
  const wallet = useWallet();
  const dialog = useWalletDialog();
  const look = { look: "primary" as const, ...(size === undefined ? {} : { size }) };
  const id = testId === undefined ? undefined : `${testId}-connect`;
  if (wallet.account === null) {
    return (
      <Button {...look} onClick={dialog.open} data-testid={id}>
        Connect a wallet
      </Button>
    );
  }
  if (!wallet.isOnChain) {
    return (
      <Button {...look} onClick={wallet.switchChain} isBusy={wallet.isBusy} data-testid={id}>
        Switch the wallet's network
      </Button>
    );
  }
  return children;
}

/** What happens to a transaction, read out as it changes. */
export function SendingStatus({ sending }: { sending: Sending }) {
  const { phase, error, record } = sending;
  return (
    <div aria-live="polite" className="sending" data-testid="sending" data-phase={phase}>
      {phase === "failed" ? (
        <Failure error={error} onDismiss={sending.dismiss} />
      ) : phase === "idle" ? null : (
        <p className="small soft row tight">
          <span>{PHASES[phase]}</span>
          {record === null ? null : <Hex value={record.hash} label="transaction hash" />}
        </p>
      )}
    </div>
  );
}

function Failure({ error, onDismiss }: { error: unknown; onDismiss: () => void }) {
  const { title, hint, isDeclined } = describeError(error);
  return (
    <Notice tone={isDeclined ? "neutral" : "bad"} title={title} testId="sending-error">
      {hint === undefined ? null : <p className="small">{hint}</p>}
      <div>
        <Button size="small" onClick={onDismiss}>
          Dismiss
        </Button>
      </div>
    </Notice>
  );
}
