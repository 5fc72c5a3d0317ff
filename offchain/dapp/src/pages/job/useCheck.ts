// The check in this browser: by itself where it costs next to nothing, otherwise when the reader asks.
import { useState } from "react";
import { useServices } from "../../app/services";
import { type Data, useData } from "../../app/useData";
import type { Digest } from "../../protocol";
import { type Check, checkAnswer, isCheapToCheck, type Known } from "./answer";

export type Checking = {
  readonly data: Data<Check> | null;
  /** Set where the reader has to ask for it. */
  readonly ask: (() => void) | null;
};

export function useCheck(known: Known | null, committed: Digest | null): Checking {
  const services = useServices();
  const [isAsked, setIsAsked] = useState(false);
  const isWanted = known !== null && (isAsked || isCheapToCheck(known.model));
  const key = isWanted && committed !== null ? `check ${committed}` : null;
  const data = useData(key, () => {
    if (known === null || committed === null) throw new Error("nothing to check");
    return checkAnswer(services, known, committed);
  });
  if (known === null || committed === null) return { data: null, ask: null };
  if (key === null) return { data: null, ask: () => setIsAsked(true) };
  return { data, ask: null };
}
