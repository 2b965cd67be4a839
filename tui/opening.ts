/** Opens a trace for a command, telling when its database must be made anew. */

import { parseScenario } from "../engine/index.ts";
import { openTrace, type Trace } from "../recorder/index.ts";
import { nativeResults } from "./compare.ts";
import type { Io } from "./io.ts";
import { stackName } from "./options.ts";
import { startProgress } from "./progress.ts";

/** Throws TraceError. */
export function openForCommand(io: Io, dir: string): Trace {
  const progress = startProgress();
  try {
    const trace = openTrace(dir, {
      onRebuild: (why) => io.talk(`${dir}: building trace.db: ${why}\n`),
      onProgress: (done, total) => progress.update("building trace.db", done, total),
      natives: ({ info, sites, threads }) =>
        info.origin === "emulated"
          ? nativeResults(parseScenario(info.scenarioText, `scenario of ${dir}`), stackName(info.stack), {
              seed: info.seed,
              sites,
              threads,
            })
          : undefined,
    });
    if (!trace.complete)
      io.talk(`${dir}: the recording was killed; this is what had been written, ${trace.transitions.rows} transitions\n`);
    return trace;
  } finally {
    progress.end();
  }
}
