/** What goes on in the background: one thing at a time, and the state says whether there is one. */

import type { Context } from "./context.ts";

export function createTasks(dispatch: Context["dispatch"]): Pick<Context, "task" | "cancel"> {
  let running: AbortController | null = null;
  const cancel = (): void => running?.abort();
  return {
    cancel,
    async task(run) {
      cancel();
      const own = new AbortController();
      running = own;
      dispatch({ type: "busy", busy: true });
      try {
        await run(own.signal);
      } finally {
        // A newer one may have taken its place.
        if (running === own) dispatch({ type: "busy", busy: false });
      }
    },
  };
}
