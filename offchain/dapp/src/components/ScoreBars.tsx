// Scores of classes as bars, the greatest marked: raw integers of the network, only their order has a meaning.
type ScoreBarsProps = {
  readonly labels: readonly string[];
  readonly scores: readonly number[];
  readonly chosen: number;
};

const MOST = 12;

export function ScoreBars({ labels, scores, chosen }: ScoreBarsProps) {
  const least = Math.min(...scores);
  const most = Math.max(...scores);
  const ranked = scores.map((score, index) => ({
    score,
    index,
    label: labels[index] ?? `${index}`,
  }));
  const isLong = ranked.length > MOST;
  const shown = isLong ? ranked.toSorted((a, b) => b.score - a.score).slice(0, MOST) : ranked;
  return (
    <ul className="bars" aria-label="Scores of the classes" data-testid="scores">
      {shown.map(({ score, index, label }) => (
        <li key={index} className={index === chosen ? "bar bar-chosen" : "bar"}>
          <span className="bar-label">{label}</span>
          <span className="bar-track" aria-hidden="true">
            <span
              className="bar-fill"
              style={{ width: `${most === least ? 0 : (100 * (score - least)) / (most - least)}%` }}
            />
          </span>
          <span className="bar-score mono">{score}</span>
        </li>
      ))}
      {isLong ? <li className="small faint">and {ranked.length - MOST} lower ones</li> : null}
    </ul>
  );
}
