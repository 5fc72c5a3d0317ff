// The frame around every page: masthead, navigation (above on wide screens, at the thumb on narrow ones), footer.
import { type ReactNode, useEffect, useRef } from "react";
import { link, type Route } from "../app/router";
import { type Theme, useTheme } from "../app/theme";
import { EXPLORER_PATHS } from "../pages/explorer/paths";
import {
  AutoIcon,
  CompassIcon,
  ListIcon,
  Mark,
  MoonIcon,
  PlusIcon,
  SunIcon,
  WalletIcon,
} from "./icons";

const PAGES = [
  { path: "submit", label: "Order", Icon: PlusIcon, covers: ["submit"] },
  { path: "my-jobs", label: "My jobs", Icon: ListIcon, covers: ["my-jobs"] },
  {
    path: "explorer",
    label: "Explore",
    Icon: CompassIcon,
    covers: EXPLORER_PATHS,
  },
  { path: "account", label: "Account", Icon: WalletIcon, covers: ["account"] },
] as const;

type ShellProps = {
  readonly route: Route;
  readonly tools: ReactNode;
  readonly children: ReactNode;
  readonly footer: ReactNode;
};

export function Shell({ route, tools, children, footer }: ShellProps) {
  const main = useRef<HTMLElement>(null);
  const place = route.path.join("/");
  const before = useRef(place);
  useEffect(() => {
    if (before.current === place) return;
    before.current = place;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true }); // a page change, as a screen reader should notice it
  }, [place]);
  return (
    <div className="frame">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header className="masthead">
        <div className="masthead-inner">
          <a className="brand" href={link("submit")} aria-label="zkDPS, to the start">
            <Mark />
            <span>zkDPS</span>
          </a>
          <Navigation className="nav-top" label="Main" route={route} />
          <div className="masthead-tools">
            {tools}
            <ThemeButton />
          </div>
        </div>
      </header>
      <main ref={main} tabIndex={-1}>
        {children}
      </main>
      <footer className="footer">{footer}</footer>
      <Navigation className="nav-bottom" label="Main, below" route={route} />
    </div>
  );
}

function Navigation({
  className,
  label,
  route,
}: {
  className: string;
  label: string;
  route: Route;
}) {
  const [page = "submit", id] = route.path;
  const here = page === "jobs" && id !== undefined ? "my-jobs" : page; // most jobs one looks at are one's own
  return (
    <nav className={className} aria-label={label}>
      {PAGES.map(({ path, label, Icon, covers }) => (
        <a
          key={path}
          className="nav-link"
          href={link(path)}
          aria-current={(covers as readonly string[]).includes(here) ? "page" : undefined}
        >
          <Icon />
          <span>{label}</span>
        </a>
      ))}
    </nav>
  );
}

const THEMES: Record<Theme, { next: Theme; label: string; Icon: () => ReactNode }> = {
  system: { next: "light", label: "Colours: as the system. Switch to light", Icon: AutoIcon },
  light: { next: "dark", label: "Colours: light. Switch to dark", Icon: SunIcon },
  dark: { next: "system", label: "Colours: dark. Switch to the system's", Icon: MoonIcon },
};

function ThemeButton() {
  const [theme, setTheme] = useTheme();
  const { next, label, Icon } = THEMES[theme];
  return (
    <button
      type="button"
      className="icon-button"
      onClick={() => setTheme(next)}
      aria-label={label}
      title={label}
    >
      <Icon />
    </button>
  );
}
