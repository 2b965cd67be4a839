/** The strace importer: `strace -f -ttt -T` logs of real programs become scenarios. */

import type { Importer } from "../importer.ts";
import { createTextReader } from "../text/reader.ts";
import { createLogReader } from "./log.ts";
import { knowsLine, looksLikeStrace } from "./recognize.ts";
import { type Imported, scenarioOf } from "./scenario.ts";

export { StraceError } from "./errors.ts";
export { mergedLog, type ThreadFile, threadFiles } from "./folder.ts";
export { looksLikeStrace } from "./recognize.ts";
export type { Imported } from "./scenario.ts";

/** Line by line into events of threads, and these into a scenario. `name` names the log in errors. */
function createReading(name: string, longLines?: number): { add(chunk: Uint8Array): void; finish(): Imported } {
  const text = createTextReader(knowsLine);
  const reader = createLogReader(name);
  return {
    add(chunk) {
      for (const line of text.add(chunk)) reader.line(line);
    },
    finish() {
      const { lines, cut } = text.finish();
      for (const line of lines) reader.line(line);
      if (cut !== "") reader.line(cut, true);
      return scenarioOf(reader.finish(), name, longLines);
    },
  };
}

/** A log that is in memory; of `longLines` and more its programs are written in short. Throws StraceError. */
export function straceToScenario(text: string, name: string, longLines?: number): Imported {
  const reading = createReading(name, longLines);
  reading.add(Buffer.from(text));
  return reading.finish();
}

export const strace: Importer = {
  id: "strace",
  text: "a strace log",
  clock: "epoch",
  // Events of all threads are looked at together: all of them are kept.
  mostBytes: 256 * 1024 * 1024,
  sniff: (start) => looksLikeStrace(start),
  knows: knowsLine,
  async read(chunks, name) {
    const reading = createReading(name);
    for await (const chunk of chunks) reading.add(chunk);
    return reading.finish();
  },
};
