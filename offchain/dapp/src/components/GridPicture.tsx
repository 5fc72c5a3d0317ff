// A grid of numbers as a picture: one square a cell, its ink as dark as its number.
import type { Grid, GridSpec } from "../inputs/grid";

type GridPictureProps = {
  readonly spec: GridSpec;
  readonly grid: Grid;
  /** The cell that the keyboard is on. */
  readonly cursor?: number | null;
  /** Lines between the cells, for drawing on. */
  readonly isRuled?: boolean;
  /** What it shows, for those who do not see it; without one it is decoration. */
  readonly label?: string;
};

export function GridPicture({ spec, grid, cursor = null, isRuled, label }: GridPictureProps) {
  const { width, height, lo, hi } = spec;
  const named =
    label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label };
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: named by its label, or hidden where it is decoration
    <svg
      className="grid-picture"
      viewBox={`0 0 ${width} ${height}`}
      shapeRendering="crispEdges"
      {...named}
    >
      <rect width={width} height={height} className="grid-paper" />
      {isRuled ? <path d={drawRules(width, height)} className="grid-rules" /> : null}
      {grid.map((value, k) =>
        value === lo ? null : (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
            key={k}
            x={k % width}
            y={Math.floor(k / width)}
            width="1"
            height="1"
            className="grid-ink"
            fillOpacity={(value - lo) / (hi - lo)}
          />
        ),
      )}
      {cursor === null ? null : (
        <rect
          x={(cursor % width) + 0.06}
          y={Math.floor(cursor / width) + 0.06}
          width="0.88"
          height="0.88"
          className="grid-cursor"
        />
      )}
    </svg>
  );
}

function drawRules(width: number, height: number): string {
  const columns = Array.from({ length: width - 1 }, (_, x) => `M${x + 1} 0V${height}`);
  const rows = Array.from({ length: height - 1 }, (_, y) => `M0 ${y + 1}H${width}`);
  return [...columns, ...rows].join("");
}
