// Drawing on the model's own grid: by pointer, by touch, by keyboard, or from a picture.
import {
  type DragEvent,
  type KeyboardEvent,
  type PointerEvent,
  useId,
  useRef,
  useState,
} from "react";
import { describeError } from "../../app/errors";
import { Button, Notice } from "../../components/basics";
import { GridPicture } from "../../components/GridPicture";
import {
  blankGrid,
  centreGrid,
  drawStroke,
  drawStrokes,
  fitStrokes,
  type Grid,
  type GridSpec,
  isBlank,
  isSmall,
  type Point,
  type Stroke,
  setCell,
} from "../../inputs/grid";
import { readPicture } from "../../inputs/picture";
import { INPUT } from "../../texts";

const MAX_UNDO = 40;
const KEY_STEPS = 4; // presses from paper to full ink

type GridInputProps = {
  readonly spec: GridSpec;
  readonly grid: Grid;
  readonly onChange: (grid: Grid) => void;
  readonly examples: readonly Grid[];
};

export function GridInput({ spec, grid, onChange, examples }: GridInputProps) {
  const [isEraser, setIsEraser] = useState(false);
  // Only what the pen drew on a blank sheet can be drawn anew: null after any other change.
  const [strokes, setStrokes] = useState<readonly Stroke[] | null>(null);
  const [past, setPast] = useState<readonly Moment[]>([]);
  const [error, setError] = useState<unknown>(null);
  const hintId = useId();

  const keep = () => setPast((old) => [...old.slice(1 - MAX_UNDO), { grid, strokes }]);
  const replace = (next: Grid) => {
    keep();
    setStrokes(null);
    onChange(next);
  };
  const fit = () => {
    if (strokes === null) return replace(centreGrid(grid, spec));
    keep();
    const fitted = fitStrokes(strokes, spec);
    setStrokes(fitted);
    onChange(drawStrokes(fitted, spec));
  };
  const endStroke = (stroke: Stroke, wasBlank: boolean) => {
    setStrokes((old) => (wasBlank ? [stroke] : old === null ? null : [...old, stroke]));
  };
  const undo = () => {
    const last = past.at(-1);
    if (last === undefined) return;
    setPast(past.slice(0, -1));
    setStrokes(last.strokes);
    onChange(last.grid);
  };
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      setError(null);
      replace(await readPicture(file, spec));
    } catch (cause) {
      setError(cause);
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    void take(event.dataTransfer.files[0]);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping a file has its button below
    <div className="drawing" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <Sheet
        spec={spec}
        grid={grid}
        isEraser={isEraser}
        hintId={hintId}
        onBegin={keep}
        onChange={onChange}
        onStroke={isEraser ? () => setStrokes(null) : endStroke}
        onCell={() => setStrokes(null)}
      />
      <div className="stack">
        <fieldset className="row tight">
          <legend className="visually-hidden">Drawing tools</legend>
          <Button size="small" aria-pressed={!isEraser} onClick={() => setIsEraser(false)}>
            Pen
          </Button>
          <Button size="small" aria-pressed={isEraser} onClick={() => setIsEraser(true)}>
            Eraser
          </Button>
          <Button size="small" disabled={past.length === 0} onClick={undo}>
            Undo
          </Button>
          <Button size="small" disabled={isBlank(grid, spec)} onClick={fit} data-testid="fit">
            Fit
          </Button>
          <Button
            size="small"
            disabled={isBlank(grid, spec)}
            onClick={() => replace(blankGrid(spec))}
            data-testid="clear"
          >
            Clear
          </Button>
        </fieldset>
        <FileButton onFile={take} />
        {strokes !== null && !isBlank(grid, spec) && isSmall(strokes, spec) && past.length > 0 ? (
          <Notice tone="warn" title={INPUT.small} testId="small">
            <div>
              <Button size="small" onClick={fit}>
                Fit it to the grid
              </Button>
            </div>
          </Notice>
        ) : null}
        {error === null ? null : (
          <Notice tone="bad" isAlert title={describeError(error).title}>
            {describeError(error).hint}
          </Notice>
        )}
        {examples.length === 0 ? null : (
          <Examples spec={spec} examples={examples} onChoose={replace} />
        )}
        <p id={hintId} className="small soft">
          {INPUT.draw} {INPUT.file}
        </p>
      </div>
    </div>
  );
}

type Moment = { readonly grid: Grid; readonly strokes: readonly Stroke[] | null };

type SheetProps = {
  readonly spec: GridSpec;
  readonly grid: Grid;
  readonly isEraser: boolean;
  readonly hintId: string;
  readonly onBegin: () => void;
  readonly onChange: (grid: Grid) => void;
  /** The pen was lifted; `wasBlank` says that nothing was on the sheet before it. */
  readonly onStroke: (stroke: Stroke, wasBlank: boolean) => void;
  readonly onCell: () => void;
};

/** The paper: strokes by pointer, cells by keyboard. */
function Sheet(props: SheetProps) {
  const { spec, grid, isEraser, hintId, onBegin, onChange, onStroke, onCell } = props;
  const [cursor, setCursor] = useState<number | null>(null);
  const last = useRef<Point | null>(null);
  const stroke = useRef<Point[]>([]);
  const wasBlank = useRef(false);
  // Several moves may come between two renderings: each goes on from the newest drawing.
  const newest = useRef(grid);
  newest.current = grid;

  const locate = (event: PointerEvent<HTMLDivElement>): Point => {
    const box = event.currentTarget.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * spec.width,
      y: ((event.clientY - box.top) / box.height) * spec.height,
    };
  };
  const extend = (to: Point) => {
    newest.current = drawStroke(newest.current, spec, last.current ?? to, to, isEraser);
    last.current = to;
    stroke.current.push(to);
    onChange(newest.current);
  };
  const begin = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setCursor(null);
    onBegin();
    last.current = null;
    stroke.current = [];
    wasBlank.current = isBlank(grid, spec);
    extend(locate(event));
  };
  const end = () => {
    if (last.current !== null) onStroke(stroke.current, wasBlank.current);
    last.current = null;
  };
  const press = (event: KeyboardEvent) => {
    const move = MOVES[event.key];
    const at = cursor ?? 0;
    if (move !== undefined) {
      event.preventDefault();
      setCursor(cursor === null ? 0 : moveCursor(at, move, spec));
    } else if (event.key === " " || event.key === "Backspace" || event.key === "Delete") {
      event.preventDefault();
      setCursor(at);
      onBegin();
      const step = Math.ceil((spec.hi - spec.lo) / KEY_STEPS);
      const value = event.key === " " ? (grid[at] ?? spec.lo) + step : spec.lo;
      onChange(setCell(grid, at, value, spec));
      onCell();
    }
  };

  return (
    <div className="sheet-frame">
      <div
        className="sheet"
        role="application"
        aria-label={`Drawing of ${spec.width} by ${spec.height} cells`}
        aria-describedby={hintId}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys of its own
        tabIndex={0}
        onPointerDown={begin}
        onPointerMove={(event) => {
          if (last.current !== null) extend(locate(event));
        }}
        onPointerUp={end}
        onPointerCancel={end}
        onKeyDown={press}
        onBlur={() => setCursor(null)}
        data-testid="sheet"
      >
        <GridPicture spec={spec} grid={grid} cursor={cursor} isRuled />
        {isBlank(grid, spec) && cursor === null ? (
          <span className="sheet-hint" aria-hidden="true">
            Draw here
          </span>
        ) : null}
      </div>
      <span className="visually-hidden" aria-live="polite">
        {cursor === null ? "" : describeCell(cursor, grid, spec)}
      </span>
    </div>
  );
}

const MOVES: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function moveCursor(at: number, [dx, dy]: readonly [number, number], spec: GridSpec): number {
  const x = Math.min(spec.width - 1, Math.max(0, (at % spec.width) + dx));
  const y = Math.min(spec.height - 1, Math.max(0, Math.floor(at / spec.width) + dy));
  return y * spec.width + x;
}

function describeCell(cursor: number, grid: Grid, spec: GridSpec): string {
  const row = Math.floor(cursor / spec.width) + 1;
  const column = (cursor % spec.width) + 1;
  return `Row ${row}, column ${column}: ${grid[cursor] ?? spec.lo} of ${spec.hi}`;
}

function FileButton({ onFile }: { onFile: (file: File | undefined) => void }) {
  return (
    <label className="button button-small file-button">
      <input
        type="file"
        accept="image/*"
        className="visually-hidden"
        onChange={(event) => {
          onFile(event.target.files?.[0]);
          event.target.value = ""; // the same file may be chosen again
        }}
        data-testid="file"
      />
      Choose or drop a picture
    </label>
  );
}

type ExamplesProps = {
  readonly spec: GridSpec;
  readonly examples: readonly Grid[];
  readonly onChoose: (grid: Grid) => void;
};

function Examples({ spec, examples, onChoose }: ExamplesProps) {
  return (
    <fieldset className="stack tight">
      <legend className="small strong">Or take an example</legend>
      <div className="row tight">
        {examples.map((example, k) => (
          <button
            key={example.join()}
            type="button"
            className="example"
            onClick={() => onChoose(example)}
            aria-label={`Example ${k + 1}`}
            data-testid="example"
          >
            <GridPicture spec={spec} grid={example} />
          </button>
        ))}
      </div>
    </fieldset>
  );
}
