/** What the application saw that Linux alone would not have shown it, from the database of a trace. */

import { resultText } from "../../engine/index.ts";
import type { Trace } from "../../recorder/index.ts";
import type { Io } from "../io.ts";
import { safe } from "./safe.ts";

const SHOWN = 10;

export function tellDifferences(io: Io, trace: Trace): void {
  // Where the recording was cut, a call that is not back yet says nothing.
  const returned = trace.transitions.end?.reason === "finished" ? "" : "result IS NOT NULL AND ";
  const differs = `${returned}native IS NOT NULL AND native IS NOT result`;
  const all = Number(trace.ask(`SELECT count(*) FROM syscalls WHERE ${differs}`)[0]?.[0] ?? 0);
  if (all === 0) return;
  io.talk(`${all} ${all === 1 ? "call differs" : "calls differ"} from Linux without a library OS:\n`);
  const sql = `SELECT seq, thread, call, native, result FROM syscalls WHERE ${differs} ORDER BY seq LIMIT ${SHOWN}`;
  for (const [seq, thread, call, native, result] of trace.ask(sql)) {
    const here = result === null ? "never returned" : resultText(Number(result));
    io.talk(`  seq ${seq}  ${safe(String(thread), 30)}  ${safe(String(call), 40)}: ${here}, on Linux ${resultText(Number(native))}\n`);
  }
  if (all > SHOWN) io.talk(`  ... all of them: eintr query ${trace.dir} "SELECT * FROM syscalls WHERE ${differs}"\n`);
}
