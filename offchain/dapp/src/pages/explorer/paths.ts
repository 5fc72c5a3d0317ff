// Addresses of the explorer, by their first part; a single job has a page of its own elsewhere.
export const EXPLORER_PATHS = [
  "explorer",
  "models",
  "operators",
  "jobs",
  "disputes",
  "sessions",
  "batches",
  "accounts",
] as const;
