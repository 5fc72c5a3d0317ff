// A picture as a model sees it: a small grid of integers. What is drawn here is what is sent, nothing in between.

export type GridSpec = {
  readonly height: number;
  readonly width: number;
  /** Paper. */
  readonly lo: number;
  /** Full ink. */
  readonly hi: number;
};

/** Row-major integers, height × width, each in lo..hi. */
export type Grid = readonly number[];

export type Point = { readonly x: number; readonly y: number };

/** Radius of the pen in cells: its stroke is about as wide as that of a digit on an 8 × 8 grid. */
const PEN_RADIUS = 0.75;
/** Thin lines of a scan lose their black where a cell is wider than they: this much of it is given back. */
const GAIN = 1.5;
const EDGE = 0.5; // cells over which a stroke fades: a soft edge, as a scan has

export function blankGrid({ height, width, lo }: GridSpec): Grid {
  return Array<number>(height * width).fill(lo);
}

export function isBlank(grid: Grid, { lo }: GridSpec): boolean {
  return grid.every((value) => value === lo);
}

/** Draws (or with `isEraser` wipes) a straight stroke between two points given in cells. */
export function drawStroke(
  grid: Grid,
  spec: GridSpec,
  from: Point,
  to: Point,
  isEraser = false,
): Grid {
  return grid.map((value, index) => {
    const cell = { x: (index % spec.width) + 0.5, y: Math.floor(index / spec.width) + 0.5 };
    const ink = clamp((PEN_RADIUS + EDGE - distanceToSegment(cell, from, to)) / (2 * EDGE), 0, 1);
    const drawn = spec.lo + Math.round(ink * (spec.hi - spec.lo));
    if (isEraser) return Math.min(value, spec.hi + spec.lo - drawn);
    return Math.max(value, drawn);
  });
}

export function setCell(grid: Grid, index: number, value: number, spec: GridSpec): Grid {
  const bounded = clamp(Math.round(value), spec.lo, spec.hi);
  return grid.map((old, k) => (k === index ? bounded : old));
}

/** Moves the drawing by whole cells; what leaves the grid is lost. */
export function shiftGrid(grid: Grid, spec: GridSpec, dx: number, dy: number): Grid {
  return grid.map((_, index) => {
    const x = (index % spec.width) - dx;
    const y = Math.floor(index / spec.width) - dy;
    const isInside = x >= 0 && x < spec.width && y >= 0 && y < spec.height;
    return isInside ? (grid[y * spec.width + x] ?? spec.lo) : spec.lo;
  });
}

/** A stroke of the pen: the points it passed, in cells. */
export type Stroke = readonly Point[];

/** What the pen leaves on a blank sheet. */
export function drawStrokes(strokes: readonly Stroke[], spec: GridSpec): Grid {
  return strokes.reduce<Grid>(
    (grid, stroke) =>
      stroke.reduce<Grid>((g, to, k) => drawStroke(g, spec, stroke[k - 1] ?? to, to), grid),
    blankGrid(spec),
  );
}

/** Whether strokes fill less than three quarters of the grid both ways: models read such drawings badly. */
export function isSmall(strokes: readonly Stroke[], spec: GridSpec): boolean {
  const { width, height } = measure(strokes);
  const ink = 2 * PEN_RADIUS;
  return width + ink < 0.75 * spec.width && height + ink < 0.75 * spec.height;
}

/** Grows or shrinks strokes to fill the grid with their proportions kept, as training pictures do. */
export function fitStrokes(strokes: readonly Stroke[], spec: GridSpec): readonly Stroke[] {
  const { left, top, width, height } = measure(strokes);
  const room = { x: spec.width - 2 * PEN_RADIUS, y: spec.height - 2 * PEN_RADIUS };
  // A dot has no size of its own: it stays one.
  const scale = Math.min(room.x / Math.max(width, 0.01), room.y / Math.max(height, 0.01), 8);
  const move = ({ x, y }: Point): Point => ({
    x: (x - left - width / 2) * scale + spec.width / 2,
    y: (y - top - height / 2) * scale + spec.height / 2,
  });
  return strokes.map((stroke) => stroke.map(move));
}

function measure(strokes: readonly Stroke[]) {
  const xs = strokes.flat().map(({ x }) => x);
  const ys = strokes.flat().map(({ y }) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/** Moves the drawing so that its ink lies in the middle. */
export function centreGrid(grid: Grid, spec: GridSpec): Grid {
  const box = findBox(grid, spec.width, (value) => value > spec.lo);
  if (box === null) return grid;
  const dx = Math.round((spec.width - 1 - box.left - box.right) / 2);
  const dy = Math.round((spec.height - 1 - box.top - box.bottom) / 2);
  return shiftGrid(grid, spec, dx, dy);
}

/** Grey values 0 (black) to 1 (white), row-major. */
export type GreyImage = {
  readonly width: number;
  readonly height: number;
  readonly grey: Float32Array;
};

export type ImageOptions = {
  /** Ink is what is dark; otherwise what is bright. */
  readonly isDarkInk: boolean;
  /** Cut the empty border off, as the training pictures were. */
  readonly isCropped: boolean;
};

/** From bytes of a canvas (RGBA); what is transparent counts as white paper. */
export function toGrey(rgba: Uint8ClampedArray, width: number, height: number): GreyImage {
  const grey = new Float32Array(width * height);
  for (let k = 0; k < grey.length; k++) {
    const alpha = (rgba[4 * k + 3] ?? 0) / 255;
    const [r, g, b] = [rgba[4 * k] ?? 0, rgba[4 * k + 1] ?? 0, rgba[4 * k + 2] ?? 0];
    // Luma of ITU-R BT.601.
    grey[k] = (alpha * (0.299 * r + 0.587 * g + 0.114 * b)) / 255 + (1 - alpha);
  }
  return { width, height, grey };
}

/** Whether the border of a picture is bright: then its ink is dark. */
export function guessDarkInk({ width, height, grey }: GreyImage): boolean {
  let [sum, count] = [0, 0];
  for (let y = 0; y < height; y++) {
    const isEdgeRow = y === 0 || y === height - 1;
    for (let x = 0; x < width; x += isEdgeRow || width === 1 ? 1 : width - 1) {
      sum += grey[y * width + x] ?? 0;
      count += 1;
    }
  }
  return sum / count > 0.5;
}

/** Shrinks a picture to the grid: ink by contrast, cropped with its proportions kept, averaged over areas. */
export function fitImage(image: GreyImage, spec: GridSpec, options: ImageOptions): Grid {
  const ink = stretchContrast(image.grey, options.isDarkInk);
  const whole = { left: 0, top: 0, right: image.width - 1, bottom: image.height - 1 };
  const found = options.isCropped ? findBox(ink, image.width, (value) => value > 0.35) : whole;
  const box = found ?? whole;
  const boxWidth = box.right - box.left + 1;
  const boxHeight = box.bottom - box.top + 1;
  // Source pixels a cell: the larger need decides, so that nothing is cut off; the rest becomes a margin.
  const scale = Math.max(boxWidth / spec.width, boxHeight / spec.height);
  const originX = box.left - (spec.width * scale - boxWidth) / 2;
  const originY = box.top - (spec.height * scale - boxHeight) / 2;
  return Array.from({ length: spec.width * spec.height }, (_, index) => {
    const x = originX + (index % spec.width) * scale;
    const y = originY + Math.floor(index / spec.width) * scale;
    const mean = averageArea(ink, image, x, y, scale);
    return spec.lo + Math.round(Math.min(1, GAIN * mean) * (spec.hi - spec.lo));
  });
}

function stretchContrast(grey: Float32Array, isDarkInk: boolean): Float32Array {
  const ink = grey.map((value) => (isDarkInk ? 1 - value : value));
  let [least, most] = [1, 0];
  for (const value of ink) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const range = most - least;
  if (range < 0.05) return ink.fill(0); // an even surface: nothing is drawn on it
  // Below a fifth is shade of the paper, above four fifths is full ink.
  return ink.map((value) => clamp(((value - least) / range - 0.2) / 0.6, 0, 1));
}

type Box = {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
};

function findBox(
  values: ArrayLike<number>,
  width: number,
  isInk: (value: number) => boolean,
): Box | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let k = 0; k < values.length; k++) {
    if (!isInk(values[k] ?? 0)) continue;
    const [x, y] = [k % width, Math.floor(k / width)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return right < 0 ? null : { left, top, right, bottom };
}

/** Mean of a square of the picture; outside of it there is paper. */
function averageArea(
  ink: Float32Array,
  { width, height }: GreyImage,
  x0: number,
  y0: number,
  size: number,
): number {
  let sum = 0;
  for (let y = Math.max(0, Math.floor(y0)); y < Math.min(height, y0 + size); y++) {
    const coverY = Math.min(y + 1, y0 + size) - Math.max(y, y0);
    for (let x = Math.max(0, Math.floor(x0)); x < Math.min(width, x0 + size); x++) {
      const coverX = Math.min(x + 1, x0 + size) - Math.max(x, x0);
      sum += (ink[y * width + x] ?? 0) * coverX * coverY;
    }
  }
  return sum / (size * size);
}

function distanceToSegment(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length2 = dx * dx + dy * dy;
  const t = length2 === 0 ? 0 : clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0, 1);
  return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
