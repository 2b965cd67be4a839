/** A log of a program that was never started. */

import { resultText } from "../../../engine/index.ts";
import { StraceError } from "./errors.ts";
import type { Log } from "./log.ts";

/** strace writes its own attempts to become the program: a folder, a script without an interpreter. */
export function refuseUnstarted({ lives, events }: Pick<Log, "lives" | "events">, where: string): void {
  const [first] = events;
  if (lives.length !== 1 || first?.kind !== "call" || events.at(-1)?.kind !== "end") return;
  const failed = events.every(
    (event) => event.kind === "end" || (event.kind === "call" && event.name === "execve" && (event.value ?? 0) < 0),
  );
  const path = /^"(?:[^"\\]|\\.)*"/.exec(first.args)?.[0].slice(0, MOST_PATH) ?? "a program";
  if (failed)
    throw new StraceError(
      `${where}:${first.line}`,
      `no program was started: execve of ${path} failed with ${resultText(first.value ?? 0)}`,
      "run it by hand first; a script needs its interpreter in its first line, or before its name",
    );
}

const MOST_PATH = 200;
