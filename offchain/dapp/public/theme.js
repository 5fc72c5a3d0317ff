// Before the first paint: a chosen theme wins over the system's. A file of its own, so that no inline script is needed.
try {
  const theme = localStorage.getItem("zkdps.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be closed to us: the system's theme is as good.
}
