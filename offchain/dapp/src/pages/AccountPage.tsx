// The reader's money in the vault, and the way out of it.
import { link } from "../app/router";
import { useHeadKey, useServices } from "../app/services";
import { useData } from "../app/useData";
import { ActionButton, WalletGate } from "../components/ActionButton";
import { Async, Card, Empty, Fact, Facts, Hex, Notice, PageHead } from "../components/basics";
import { Countdown } from "../components/Countdown";
import {
  type AccountReading,
  type Address,
  buildWithdrawCredit,
  buildWithdrawUnbonded,
  ETH,
  formatAmount,
  formatShort,
  isOver,
} from "../protocol";
import { ACCOUNT } from "../texts";
import { useWallet } from "../wallet/WalletProvider";

export function AccountPage() {
  const { account } = useWallet();
  return (
    <>
      <PageHead title="Account">
        <p>{ACCOUNT.lead}</p>
      </PageHead>
      {account === null ? (
        <Card>
          <Empty title="Connect your wallet to see your credit">
            <WalletGate testId="account">{null}</WalletGate>
          </Empty>
        </Card>
      ) : (
        <Money key={account} account={account} />
      )}
    </>
  );
}

type Money = { readonly vault: AccountReading; readonly balance: bigint };

function Money({ account }: { account: Address }) {
  const { reader } = useServices();
  const headKey = useHeadKey();
  const data = useData(
    `account ${account}`,
    async (): Promise<Money> => {
      const [vault, balance] = await Promise.all([
        reader.readAccount(account),
        reader.client.getBalance({ address: account }),
      ]);
      return { vault, balance };
    },
    undefined,
    headKey,
  );
  return (
    <Async data={data} lines={4}>
      {(money) => (
        <div className="columns">
          <Credit money={money} />
          <div className="stack loose">
            <Card title="Your wallet">
              <Facts>
                <Fact name="Address">
                  <Hex value={account} label="your address" />
                </Fact>
                <Fact name="Balance">
                  <span title={formatAmount(money.balance)}>{formatShort(money.balance)}</span>
                </Fact>
              </Facts>
            </Card>
            <Stake money={money} account={account} />
          </div>
        </div>
      )}
    </Async>
  );
}

function Credit({ money }: { money: Money }) {
  const { contracts } = useServices().deployment;
  const { credit } = money.vault.account;
  return (
    <Card title="Credit" testId="credit-card">
      {credit === 0n ? (
        <Empty title={ACCOUNT.nothing}>
          <p>{ACCOUNT.nothingHint}</p>
          <Withdraw isHidden build={() => buildWithdrawCredit(contracts, ETH)} />
        </Empty>
      ) : (
        <div className="stack">
          <p className="figure" data-testid="credit">
            {formatAmount(credit)}
          </p>
          <Withdraw build={() => buildWithdrawCredit(contracts, ETH)} />
        </div>
      )}
    </Card>
  );
}

type WithdrawProps = {
  readonly build: () => ReturnType<typeof buildWithdrawCredit>;
  /** Nothing is left; what happened to the last withdrawal is still said. */
  readonly isHidden?: boolean;
};

function Withdraw({ build, isHidden }: WithdrawProps) {
  return (
    <div className={isHidden ? "hide-button" : undefined}>
      <ActionButton
        look="primary"
        purpose="withdrawCredit"
        subject={ETH}
        build={build}
        testId="withdraw"
      >
        Withdraw to your wallet
      </ActionButton>
    </div>
  );
}

/** Only for those who have staked. */
function Stake({ money, account }: { money: Money; account: Address }) {
  const { contracts } = useServices().deployment;
  const { account: ledger, time, standing, openChallenges } = money.vault;
  const total = ledger.free + ledger.locked + ledger.unbonding;
  if (total === 0n) return null;
  const isReady = ledger.unbonding > 0n && isOver(time, ledger.unbondReadyAt - 1);
  return (
    <Card title="Stake" aside={<a href={link("operators", account)}>As others see it</a>}>
      <div className="stack">
        <Facts>
          <Fact name="Free">{formatAmount(ledger.free)}</Fact>
          <Fact name="Behind jobs">{formatAmount(ledger.locked)}</Fact>
          <Fact name="Unbonding">{formatAmount(ledger.unbonding)}</Fact>
          {ledger.unbonding > 0n && !isReady ? (
            <Fact name="Unbonded in">
              <Countdown deadline={ledger.unbondReadyAt - 1} />
            </Fact>
          ) : null}
          <Fact name="Open challenges">{openChallenges}</Fact>
        </Facts>
        {standing.jailedUntil > 0 ? (
          <Notice tone="bad" title="In jail">
            <p className="small">It takes no jobs until it leaves jail: “zkdps operator unjail”.</p>
          </Notice>
        ) : null}
        {isReady ? (
          <ActionButton
            look="primary"
            purpose="withdrawUnbonded"
            subject={ETH}
            build={() => buildWithdrawUnbonded(contracts, ETH)}
          >
            Withdraw the unbonded stake
          </ActionButton>
        ) : null}
      </div>
    </Card>
  );
}
