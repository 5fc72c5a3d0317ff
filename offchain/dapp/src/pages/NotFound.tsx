import { link } from "../app/router";
import { Empty } from "../components/basics";

export function NotFound() {
  return (
    <Empty title="There is no such page">
      <p>
        The address may be mistyped. <a href={link("submit")}>Order an inference</a> or{" "}
        <a href={link("models")}>look around</a>.
      </p>
    </Empty>
  );
}
