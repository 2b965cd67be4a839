/** The real terminal behind `Io`. */

import { setImmediate as turn } from "node:timers/promises";
import { Interrupted, type Io } from "./io.ts";
import type { ColorDepth } from "./present/palette.ts";

/** Data that goes to a file is written at once, again and again: so often timers and signals are let in between. */
const TURN_MS = 20;
/** A command that was told to end and has not ended by then hangs in something that we did not foresee. */
const LAST_MS = 3000;

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

/** How many colours the terminal has, as its environment tells. */
function colorDepth(): ColorDepth {
  if (!wantsColor()) return 0;
  const { COLORTERM, TERM = "" } = process.env;
  if (COLORTERM === "truecolor" || COLORTERM === "24bit") return 16_777_216;
  return TERM.endsWith("256color") ? 256 : 16;
}

export function terminalIo(): Io {
  const stop = new AbortController();
  const code = (signal: NodeJS.Signals): number => (signal === "SIGTERM" ? 143 : 130);
  const onSignal = (signal: NodeJS.Signals): void => {
    // The second one ends it at once.
    if (stop.signal.aborted) process.exit(code(signal));
    stop.abort(signal);
    setTimeout(() => process.exit(code(signal)), LAST_MS).unref();
  };
  let listens = false;
  const listen = (): AbortSignal => {
    if (!listens) {
      process.on("SIGINT", onSignal);
      process.on("SIGTERM", onSignal);
    }
    listens = true;
    return stop.signal;
  };
  // A reader that went away (`| head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    process.stderr.write(`eintr: stdout: ${error.message}; what was written before it is there\n`);
    process.exit(2);
  });
  // Nobody is left to tell of talk that does not arrive; what the command does, and its exit code, are the same without it.
  process.stderr.on("error", () => {});
  let turned = performance.now();
  return {
    async out(text) {
      if (stop.signal.aborted) throw new Interrupted();
      if (!process.stdout.write(text)) await drained(stop.signal);
      else if (performance.now() - turned > TURN_MS) await turn();
      else return;
      turned = performance.now();
      if (stop.signal.aborted) throw new Interrupted();
    },
    talk: (text) => void process.stderr.write(text),
    color: colorDepth(),
    columns: process.stdout.isTTY ? process.stdout.columns : null,
    get signal() {
      return listen();
    },
    exitCode: 0,
  };
}

/** The reader has taken what was written, or nobody waits for that any more: a reader that stands still would hold us for ever. */
function drained(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      process.stdout.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    process.stdout.on("drain", done);
    signal.addEventListener("abort", done);
  });
}
