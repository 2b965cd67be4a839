/** The real terminal behind `Io`. */

import type { Io } from "./io.ts";

/**
 * Colour when stdout is a terminal, unless NO_COLOR is set or TERM is dumb; FORCE_COLOR overrides.
 * Source: https://no-color.org.
 */
function wantsColor(): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return process.stdout.isTTY === true && TERM !== "dumb";
}

export function terminalIo(): Io {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    // The second one ends it at once.
    if (stop.signal.aborted) process.exit(signal === "SIGTERM" ? 143 : 130);
    stop.abort(signal);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  // A reader that went away (`| head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(`stdout: ${error.message}\n`);
    process.exit(2);
  });
  // Nobody is left to tell of talk that does not arrive; what the command does, and its exit code, are the same without it.
  process.stderr.on("error", () => {});
  return {
    out: (text) =>
      new Promise((resolve) => {
        if (process.stdout.write(text)) resolve();
        else process.stdout.once("drain", resolve);
      }),
    talk: (text) => void process.stderr.write(text),
    color: wantsColor(),
    columns: process.stdout.isTTY ? process.stdout.columns : null,
    signal: stop.signal,
    exitCode: 0,
  };
}
