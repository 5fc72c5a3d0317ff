// Batches of results as rows.
import { link } from "../../app/router";
import { Hex } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import type { BatchItem } from "../../protocol";
import { Cell, StatePill, When } from "./parts";
import { BATCH_STATES } from "./texts";

export function BatchTable({ items }: { items: readonly BatchItem[] }) {
  return (
    <table className="table" data-testid="batches">
      <thead>
        <tr>
          <th scope="col">Batch</th>
          <th scope="col">State</th>
          <th scope="col">Time left</th>
          <th scope="col">Committed</th>
          <th scope="col" className="number">
            Results
          </th>
          <th scope="col" className="number">
            Challenged
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((batch) => (
          <tr key={batch.id}>
            <td data-label="Batch">
              <Hex value={batch.id} href={link("batches", batch.id)} label="the batch's id" />
            </td>
            <td data-label="State">
              <StatePill state={batch.state} words={BATCH_STATES} />
            </td>
            <Cell label="Time left">
              {batch.state === "committed" ? <Countdown deadline={batch.challengeUntil} /> : null}
            </Cell>
            <td data-label="Committed">
              <When seconds={batch.committedAt} />
            </td>
            <td data-label="Results" className="number">
              {batch.count}
            </td>
            <td data-label="Challenged" className="number">
              {batch.extracted}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
