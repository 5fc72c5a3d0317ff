// Which page of the explorer an address shows.
import type { ReactNode } from "react";
import { getAddress, isAddress } from "viem";
import type { Route } from "../../app/router";
import { isWord } from "../../protocol";
import { ExplorerAccountPage } from "./AccountPage";
import { BatchPage } from "./BatchPage";
import { DisputesPage } from "./DisputesPage";
import { JobsPage } from "./JobsPage";
import { ModelPage } from "./ModelPage";
import { ModelsPage } from "./ModelsPage";
import { OperatorPage, OperatorsPage } from "./OperatorsPage";
import { OverviewPage } from "./OverviewPage";
import { SessionPage, SessionsPage } from "./SessionsPage";

/** The explorer's page of an address; null for one that is none of its own. */
export function chooseExplorerPage(route: Route): ReactNode {
  const [page, id, ...rest] = route.path;
  if (rest.length > 0) return null;
  return id === undefined ? chooseList(page, route) : chooseRecord(page, id, route);
}

function chooseList(page: string | undefined, route: Route): ReactNode {
  switch (page) {
    case "explorer":
      return <OverviewPage />;
    case "models":
      return <ModelsPage route={route} />;
    case "operators":
      return <OperatorsPage route={route} />;
    case "jobs":
      return <JobsPage route={route} />;
    case "disputes":
      return <DisputesPage route={route} />;
    case "sessions":
      return <SessionsPage route={route} />;
    default:
      return null;
  }
}

function chooseRecord(page: string | undefined, id: string, route: Route): ReactNode {
  if (isAddress(id, { strict: false })) {
    const address = getAddress(id);
    if (page === "operators") return <OperatorPage key={address} address={address} />;
    if (page !== "accounts") return null;
    return <ExplorerAccountPage key={address} address={address} route={route} />;
  }
  const word = id.toLowerCase(); // the gateway knows one name for one thing
  if (!isWord(word)) return null;
  if (page === "models") return <ModelPage key={word} id={word} />;
  if (page === "sessions") return <SessionPage key={word} id={word} />;
  return page === "batches" ? <BatchPage key={word} id={word} /> : null;
}
