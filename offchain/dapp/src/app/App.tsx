// Which page an address shows, and what all pages stand on.
import type { ReactNode } from "react";
import { Footer } from "../components/Footer";
import { Shell } from "../components/Shell";
import { WalletButton, WalletDialogProvider } from "../components/WalletDialog";
import { AccountPage } from "../pages/AccountPage";
import { chooseExplorerPage } from "../pages/explorer";
import { JobPage } from "../pages/job/JobPage";
import { MyJobsPage } from "../pages/MyJobsPage";
import { NotFound } from "../pages/NotFound";
import { SubmitPage } from "../pages/submit/SubmitPage";
import { WalletProvider } from "../wallet/WalletProvider";
import { type Route, useRoute } from "./router";
import { HeadProvider, ServicesProvider } from "./services";
import { TransactionsProvider } from "./useTransactions";

export function App() {
  const route = useRoute();
  const frame = (children: ReactNode) => (
    <Shell route={route} tools={null} footer={null}>
      {children}
    </Shell>
  );
  return (
    <ServicesProvider frame={frame}>
      <HeadProvider>
        <WalletProvider>
          <TransactionsProvider>
            <WalletDialogProvider>
              <Shell route={route} tools={<WalletButton />} footer={<Footer />}>
                {choosePage(route)}
              </Shell>
            </WalletDialogProvider>
          </TransactionsProvider>
        </WalletProvider>
      </HeadProvider>
    </ServicesProvider>
  );
}

function choosePage(route: Route): ReactNode {
  const [page = "submit", id] = route.path;
  switch (page) {
    case "submit":
      return <SubmitPage />;
    case "my-jobs":
      return <MyJobsPage />;
    case "account":
      return <AccountPage />;
    case "jobs":
      return id === undefined ? chooseExplorerPage(route) : <JobPage id={id} />;
    default:
      return chooseExplorerPage(route) ?? <NotFound />;
  }
}
