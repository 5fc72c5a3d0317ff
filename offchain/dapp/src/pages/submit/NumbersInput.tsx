// Plain numbers, for models that read neither pictures nor text.
import { useId } from "react";
import { Button } from "../../components/basics";
import { parseNumbers } from "../../inputs/numbers";

type NumbersInputProps = {
  readonly text: string;
  readonly shape: readonly number[];
  readonly lo: number;
  readonly hi: number;
  readonly onChange: (text: string) => void;
  readonly examples: readonly (readonly number[])[];
};

export function NumbersInput({ text, shape, lo, hi, onChange, examples }: NumbersInputProps) {
  const id = useId();
  const count = shape.reduce((product, size) => product * size, 1);
  const parsed = parseNumbers(text, count, lo, hi);
  const problem = text.trim() === "" || parsed.ok ? null : parsed.problem;
  return (
    <div className="stack">
      <div className="field">
        <label htmlFor={id}>
          {count} whole numbers between {lo} and {hi}
        </label>
        <textarea
          id={id}
          className="input mono"
          value={text}
          aria-invalid={problem !== null}
          aria-describedby={`${id}-hint`}
          onChange={(event) => onChange(event.target.value)}
          data-testid="numbers"
        />
        <p className="hint" id={`${id}-hint`}>
          Separated by spaces, commas or new lines, row by row ({shape.join(" × ")}).
        </p>
        {problem === null ? null : (
          <p className="problem" aria-live="polite">
            {problem}
          </p>
        )}
      </div>
      {examples.length === 0 ? null : (
        <fieldset className="row tight">
          <legend className="small strong">Or take an example</legend>
          {examples.map((example, k) => (
            <Button
              key={example.join()}
              size="small"
              onClick={() => onChange(example.join(" "))}
              data-testid="example"
            >
              Example {k + 1}
            </Button>
          ))}
        </fieldset>
      )}
    </div>
  );
}
