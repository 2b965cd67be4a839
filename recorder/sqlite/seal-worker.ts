/** The thread of `live-seal.ts`: makes the database's large tables of the blocks that come, and the rest when the recording is closed. */

import path from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { openTransitions } from "../arrow/read.ts";
import { letGo } from "../format/let-go.ts";
import { ARROW_NAME } from "../format/metadata.ts";
import { leaveRing, readRing } from "./block-ring.ts";
import type { SealTask } from "./live-seal.ts";
import { completeDatabase, removeStale, temporaryName } from "./seal.ts";
import { startTablePass, type TablePass } from "./table-pass.ts";

const { dir, inSignalContext, absent, events, ring } = workerData as SealTask;
const tmp = temporaryName(dir);
let pass: TablePass | null = null;
try {
  removeStale(dir);
  pass = startTablePass(tmp, { inSignalContext, absent, events });
  const { put } = pass;
  readRing(ring, put);
  const facts = pass.finish();
  const reader = openTransitions(path.join(dir, ARROW_NAME));
  // The texts of the header, which may be long.
  letGo({ rows: reader.rows, text: reader.info.scenarioText.length });
  try {
    // The rows have not been anywhere else since their digest was made.
    const steps = completeDatabase(reader, dir, tmp, pass, facts, reader.end?.digest ?? "");
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done !== true) continue;
      parentPort?.postMessage(step.value);
      break;
    }
  } finally {
    reader.close();
  }
} finally {
  leaveRing(ring);
  pass?.cleanUp();
}
