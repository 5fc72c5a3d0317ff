// Choosing a wallet, and the button in the masthead that shows who one is.
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import { useServices } from "../app/services";
import { WALLET } from "../texts";
import type { WalletOffer } from "../wallet/eip1193";
import { useWallet } from "../wallet/WalletProvider";
import { Button, Dialog, ErrorBox, Hex, Notice, Pill, shortenHex } from "./basics";
import { WalletIcon } from "./icons";

type WalletDialogState = { readonly open: () => void };

const DialogContext = createContext<WalletDialogState>({ open: () => undefined });

export function useWalletDialog(): WalletDialogState {
  return useContext(DialogContext);
}

export function WalletDialogProvider({ children }: { children: ReactNode }) {
  const [isOpen, setIsOpen] = useState(false);
  const state = useMemo(() => ({ open: () => setIsOpen(true) }), []);
  return (
    <DialogContext value={state}>
      {children}
      {isOpen ? <WalletDialog onClose={() => setIsOpen(false)} /> : null}
    </DialogContext>
  );
}

/** Who is connected; opens the dialog. */
export function WalletButton() {
  const wallet = useWallet();
  const dialog = useWalletDialog();
  if (wallet.account === null) {
    return (
      <Button size="small" look="primary" onClick={dialog.open} data-testid="connect">
        Connect
      </Button>
    );
  }
  const label = wallet.isOnChain ? shortenHex(wallet.account) : "Wrong network";
  return (
    <Button
      size="small"
      onClick={dialog.open}
      aria-label={`Wallet: ${label}`}
      data-testid="wallet"
      className={wallet.isOnChain ? "wallet-button" : "wallet-button wallet-wrong"}
    >
      <WalletIcon />
      <span className="mono">{label}</span>
    </Button>
  );
}

function WalletDialog({ onClose }: { onClose: () => void }) {
  const wallet = useWallet();
  const isConnected = wallet.connection !== null;
  return (
    <Dialog
      title={isConnected ? "Your wallet" : "Connect a wallet"}
      onClose={onClose}
      testId="wallet-dialog"
    >
      {isConnected ? <Connected onClose={onClose} /> : <Offers onClose={onClose} />}
      {wallet.error === null ? null : <ErrorBox error={wallet.error} />}
    </Dialog>
  );
}

function Offers({ onClose }: { onClose: () => void }) {
  const wallet = useWallet();
  const choose = async (offer: WalletOffer) => {
    if (await wallet.connect(offer)) onClose();
  };
  return (
    <>
      <p className="soft">{WALLET.why}</p>
      {wallet.offers.length === 0 ? (
        <Notice title={WALLET.noneTitle}>
          <p className="small">{WALLET.none}</p>
        </Notice>
      ) : (
        <ul className="stack tight">
          {wallet.offers.map((offer) => (
            <li key={offer.id}>
              <button
                type="button"
                className="offer"
                disabled={wallet.isBusy}
                onClick={() => choose(offer)}
                data-testid={`offer-${offer.id}`}
              >
                {offer.icon === null ? <WalletIcon /> : <img src={offer.icon} alt="" />}
                <span>{offer.name}</span>
                {offer.kind === "development" ? <Pill tone="warn">for play money</Pill> : null}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Connected({ onClose }: { onClose: () => void }) {
  const wallet = useWallet();
  const { config } = useServices();
  const { connection, account } = wallet;
  if (connection === null || account === null) return null;
  const disconnect = () => {
    wallet.disconnect();
    onClose();
  };
  return (
    <>
      <div className="row spread">
        <span className="strong">{connection.offer.name}</span>
        {connection.offer.kind === "development" ? <Pill tone="warn">for play money</Pill> : null}
      </div>
      {connection.offer.kind === "development" ? (
        <AccountChoice />
      ) : (
        <div className="row spread">
          <span className="soft">Account</span>
          <Hex value={account} label="your address" />
        </div>
      )}
      {wallet.isOnChain ? null : (
        <Notice tone="warn" title={WALLET.wrongChain(connection.chainId, config.chainId)}>
          <div>
            <Button size="small" look="primary" onClick={wallet.switchChain} isBusy={wallet.isBusy}>
              Switch the wallet's network
            </Button>
          </div>
        </Notice>
      )}
      <div className="row">
        <Button onClick={disconnect} data-testid="disconnect">
          Disconnect
        </Button>
      </div>
    </>
  );
}

function AccountChoice() {
  const wallet = useWallet();
  const accounts = wallet.connection?.accounts ?? [];
  return (
    <div className="field">
      <label htmlFor="account">Account</label>
      <select
        id="account"
        className="input mono"
        value={wallet.account ?? ""}
        onChange={(event) => {
          const chosen = accounts.find((account) => account === event.target.value);
          if (chosen !== undefined) wallet.chooseAccount(chosen);
        }}
        data-testid="account"
      >
        {accounts.map((account) => (
          <option key={account} value={account}>
            {shortenHex(account)}
          </option>
        ))}
      </select>
      <p className="hint">{WALLET.development}</p>
    </div>
  );
}
