// Text for models that read counts of letters: what is typed, and what the model gets of it.
import { useId } from "react";
import { Button } from "../../components/basics";
import { encodeText } from "../../inputs/text";
import { INPUT } from "../../texts";

const MAX_LENGTH = 2000;
const MOST_WORDS_SHOWN = 40;
const STRIP_COLUMNS = 32;

type TextInputProps = {
  readonly text: string;
  readonly hi: number;
  readonly onChange: (text: string) => void;
  readonly examples: readonly string[];
};

export function TextInput({ text, hi, onChange, examples }: TextInputProps) {
  const id = useId();
  const { words, counts } = encodeText(text, hi);
  return (
    <div className="stack">
      <div className="field">
        <label htmlFor={id}>Your text</label>
        <textarea
          id={id}
          className="input"
          value={text}
          maxLength={MAX_LENGTH}
          onChange={(event) => onChange(event.target.value)}
          data-testid="text"
        />
        <p className="hint">{INPUT.text}</p>
      </div>
      {examples.length === 0 ? null : (
        <fieldset className="row tight">
          <legend className="small strong">Or take an example</legend>
          {examples.map((example) => (
            <Button
              key={example}
              size="small"
              onClick={() => onChange(example)}
              data-testid="example"
            >
              <span className="clip">{example}</span>
            </Button>
          ))}
        </fieldset>
      )}
      <div className="stack tight" data-testid="encoded">
        <p className="small strong">{INPUT.sent}</p>
        {words.length === 0 ? (
          <p className="small soft">{text.trim() === "" ? "Nothing yet." : INPUT.noWords}</p>
        ) : (
          <p className="words">
            {words.slice(0, MOST_WORDS_SHOWN).map((word, k) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: words repeat; their place tells them apart
              <span key={k} className="mono">
                {word}
              </span>
            ))}
            {words.length > MOST_WORDS_SHOWN ? `and ${words.length - MOST_WORDS_SHOWN} more` : null}
          </p>
        )}
        <CountStrip counts={counts} hi={hi} />
      </div>
    </div>
  );
}

/** The counts, each a square: the first row or two are letters, the rest pairs of them. */
export function CountStrip({ counts, hi }: { counts: readonly number[]; hi: number }) {
  const rows = Math.ceil(counts.length / STRIP_COLUMNS);
  const used = counts.filter((value) => value > 0).length;
  return (
    <svg
      className="count-strip"
      viewBox={`0 0 ${STRIP_COLUMNS} ${rows}`}
      role="img"
      aria-label={`${counts.length} counts, ${used} of them above zero`}
    >
      {counts.map((value, k) => (
        <rect
          // biome-ignore lint/suspicious/noArrayIndexKey: a count is its place
          key={k}
          x={(k % STRIP_COLUMNS) + 0.06}
          y={Math.floor(k / STRIP_COLUMNS) + 0.06}
          width="0.88"
          height="0.88"
          rx="0.15"
          className={value === 0 ? "count-none" : "count-some"}
          fillOpacity={value === 0 ? 1 : 0.3 + (0.7 * value) / hi}
        />
      ))}
    </svg>
  );
}
