/** Opens a trace for a command, telling when its database must be made anew; then the verdict is found again, too. */

import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { hint } from "../engine/index.ts";
import { ARROW_NAME, isBeingRecorded, isPacked, openTrace, type Trace, TraceError } from "../recorder/index.ts";
import { InputError, type Io } from "./io.ts";
import { judgeAndKeep } from "./judging.ts";
import { pasted } from "./present/pasted.ts";
import { startProgress } from "./progress.ts";
import { listScenarios } from "./scenarios.ts";

/** Throws TraceError; InputError when Ctrl-C ended the building of its database. */
export async function openForCommand(io: Io, dir: string): Promise<Trace> {
  if (!existsSync(dir)) throw new InputError(noTrace(dir));
  refuseOther(dir);
  const { trace, rebuilt } = await openOrRebuild(io, dir);
  if (rebuilt) await judgeAgain(io, trace);
  // What a command finds in a packed trace is gone with it: the next one would not know the findings.
  if (rebuilt && isPacked(dir)) await analyzeAgain(io, trace);
  return trace;
}

/** Who names a case may not know that it is recorded first. */
const noTrace = (dir: string): string =>
  listScenarios().some(({ name }) => name === dir)
    ? `there is no trace "${dir}": that is a case, recorded by ${pasted("record", dir)}, or stepped through at once by ${pasted("replay", dir)}`
    : `there is no trace "${dir}"${otherTraces(dir)} (eintr record makes one)`;

/** What is there, and no trace. Of a damaged trace those who read it say more. */
function refuseOther(dir: string): void {
  const stat = statSync(dir);
  if (stat.isFile() && !isPacked(dir))
    throw new InputError(
      `${dir} is a file, and no packed trace; expected a trace's folder. Of a scenario or a log ${pasted("record", dir)} makes one`,
    );
  const names = stat.isDirectory() ? namesIn(dir) : null;
  if (names === null || names.some((name) => name.startsWith(ARROW_NAME) || name.startsWith("trace.db"))) return;
  throw new InputError(`${dir} is a folder, and no trace: it has no ${ARROW_NAME}${otherTraces(path.join(dir, "a.trace"))}`);
}

/** Null where the folder may not be read. */
function namesIn(dir: string): string[] | null {
  try {
    return readdirSync(dir);
  } catch {
    return null;
  }
}

/** Names looked at for a trace that was meant. */
const MOST_NAMES = 500;

/** Traces where a trace was looked for, as a hint; "" where there are none. */
function otherTraces(dir: string): string {
  const folder = path.dirname(dir);
  try {
    const names = readdirSync(folder)
      .slice(0, MOST_NAMES)
      .map((name) => (folder === "." ? name : path.join(folder, name)))
      .filter((name) => isPacked(name) || existsSync(path.join(name, ARROW_NAME)));
    return names.length === 0 ? "" : hint(dir, names);
  } catch {
    return "";
  }
}

async function analyzeAgain(io: Io, trace: Trace): Promise<void> {
  const { analyzeAndKeep } = await import("./analyzing.ts");
  try {
    await analyzeAndKeep(io, trace);
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
  }
}

/** A damaged trace has none; the command that needs its rows says why. */
async function judgeAgain(io: Io, trace: Trace): Promise<void> {
  try {
    await judgeAndKeep(io, trace);
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
  }
}

async function openOrRebuild(io: Io, dir: string): Promise<{ trace: Trace; rebuilt: boolean }> {
  const progress = startProgress();
  let rebuilt = false;
  try {
    const trace = await openTrace(dir, {
      onRebuild(why) {
        rebuilt = true;
        io.talk(`${dir}: building trace.db: ${why}\n`);
      },
      onPutBack: (what) => io.talk(`${dir}: ${what}\n`),
      onElsewhere: (why) => io.talk(`${why}\nIt is made in the temporary folder instead, for this command only\n`),
      onProgress: (done, total) => progress.update("building trace.db", done, total),
      signal: io.signal,
    });
    if (trace === null) throw new InputError(`${dir}: interrupted while trace.db was built; the next command begins it anew`);
    if (!trace.complete) {
      const why = isBeingRecorded(dir) ? "the recording goes on" : "the recording was killed";
      io.talk(`${dir}: ${why}; this is what had been written, ${trace.transitions.rows} transitions\n`);
    }
    return { trace, rebuilt };
  } finally {
    progress.end();
  }
}
