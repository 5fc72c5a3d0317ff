// Light or dark: the system's choice unless one is made here; kept for the next visit.
import { useState } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "zkdps.theme";

export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(readTheme);
  const choose = (next: Theme) => {
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // Storage may be closed to us; the choice then lasts until the page is left.
    }
    setTheme(next);
  };
  return [theme, choose];
}

function readTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}
