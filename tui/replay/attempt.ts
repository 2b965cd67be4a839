/** Runs what a key, the mouse or play asks for: an error is said in the message line and ends nothing. */

import { BUG } from "../bug.ts";
import type { Context } from "./context.ts";

export async function attempt(c: Context, run: () => void | Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    c.dispatch({ type: "play", direction: 0 });
    c.dispatch({ type: "say", message: explained(error) });
  }
}

/** An error in a line. Errors for people say what is wrong themselves; the others are ours. */
export function explained(error: unknown): string {
  if (!(error instanceof Error)) return `${BUG}: ${String(error)}`;
  const ours = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return ours ? `${BUG}: ${error.name}: ${error.message}` : error.message;
}
