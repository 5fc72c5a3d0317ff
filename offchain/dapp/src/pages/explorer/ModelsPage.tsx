// Registered versions of models.
import { link, type Route } from "../../app/router";
import { Card } from "../../components/basics";
import { formatBps, type Page, type VersionItem } from "../../protocol";
import { countStates, formatCount, toQuery } from "./format";
import { useIndex } from "./live";
import { AccountLink, ExplorerFrame, PagedList, When } from "./parts";
import { EMPTY } from "./texts";

const LIMIT = 20;

export function ModelsPage({ route }: { route: Route }) {
  const cursor = route.query.get("cursor") ?? "";
  const data = useIndex<Page<VersionItem>>(`/versions${toQuery({ cursor, limit: `${LIMIT}` })}`);
  return (
    <ExplorerFrame section="models">
      <Card>
        <PagedList
          data={data}
          empty={EMPTY.models}
          isFirst={cursor === ""}
          pageLink={(next) => `#/models${toQuery({ cursor: next })}`}
        >
          {(items) => <ModelTable items={items} />}
        </PagedList>
      </Card>
    </ExplorerFrame>
  );
}

export function nameVersion({ title, number }: Pick<VersionItem, "title" | "number">): string {
  return title ?? `Version ${number}`;
}

function ModelTable({ items }: { items: readonly VersionItem[] }) {
  return (
    <table className="table" data-testid="models">
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Owner</th>
          <th scope="col">Registered</th>
          <th scope="col" className="number">
            Jobs
          </th>
          <th scope="col" className="number">
            Rejected
          </th>
          <th scope="col" className="number">
            Royalty
          </th>
          <th scope="col" className="number">
            Proof takes
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((version) => (
          <tr key={version.id}>
            <td data-label="Model">
              <a className="strong" href={link("models", version.id)}>
                {nameVersion(version)}
              </a>{" "}
              <span className="small faint">no. {version.number}</span>
            </td>
            <td data-label="Owner">
              <AccountLink address={version.owner} />
            </td>
            <td data-label="Registered">
              <When seconds={version.registeredAt} />
            </td>
            <td data-label="Jobs" className="number">
              {formatCount(countStates(version.jobs) + version.batchResults)}
            </td>
            <td data-label="Rejected" className="number">
              {formatCount(countStates(version.jobs, "rejected"))}
            </td>
            <td data-label="Royalty" className="number">
              {formatBps(version.royaltyBps)}
            </td>
            <td data-label="Proof takes" className="number">
              {version.proveSeconds} s
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
