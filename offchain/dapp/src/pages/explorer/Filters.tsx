// What a list is narrowed to: a state to choose, and accounts or versions that a link brought along.
import { shortenHex } from "../../components/basics";
import { toQuery } from "./format";

export type FilterValues = Readonly<Record<string, string | undefined>>;

type Choice = { readonly value: string; readonly label: string };

type Props = {
  /** Address of the list, "#/jobs". */
  readonly path: string;
  readonly values: FilterValues;
  readonly states: readonly Choice[];
};

export function Filters({ path, values, states }: Props) {
  const onChange = (next: FilterValues) => {
    window.location.hash = `${path}${toQuery(next)}`;
  };
  const others = Object.entries(values).filter(([name, value]) => name !== "state" && !!value);
  return (
    <div className="filters row">
      <label className="row tight">
        <span className="small soft">State</span>
        <select
          className="input filter-select"
          value={values.state ?? ""}
          onChange={({ target }) => onChange({ ...values, state: target.value || undefined })}
          data-testid="filter-state"
        >
          <option value="">All</option>
          {states.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {others.map(([name, value]) => (
        <button
          key={name}
          type="button"
          className="button button-small"
          onClick={() => onChange({ ...values, [name]: undefined })}
        >
          <span className="visually-hidden">Remove the filter </span>
          {name} <span className="mono">{shortenHex(value ?? "")}</span>{" "}
          <span aria-hidden="true">×</span>
        </button>
      ))}
    </div>
  );
}
