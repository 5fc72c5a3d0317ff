// What went wrong, in words that say what to do; pages never show a raw message first.
export type Described = { readonly title: string; readonly hint?: string };

export function describeError(error: unknown): Described {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof TypeError && /fetch|network/i.test(message)) {
    return { title: "The server could not be reached.", hint: "Is the gateway running?" };
  }
  return { title: "That did not work.", hint: message };
}
