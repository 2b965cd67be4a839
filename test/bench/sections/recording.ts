/** The command that a user runs writes both stores; the ceiling is a C program that writes the same rows into SQLite alone. */

import { closeSync, openSync, rmSync } from "node:fs";
import path from "node:path";
import type { StackName } from "../../../engine/index.ts";
import { writeAll } from "../../../recorder/arrow/file-sink.ts";
import { openTrace } from "../../../recorder/index.ts";
import { least, millions, type Setting, times } from "../bars.ts";
import { runProgram } from "../child.ts";
import { blockBytes, sqliteCeiling } from "../sqlite-ceiling.ts";

const STACKS: readonly StackName[] = ["graphene-sgx", "native-linux"];
const ROUNDS = 3;
const BAR = 1;

export async function recording(setting: Setting): Promise<void> {
  const { bars, folder } = setting;
  const rows = setting.rows(5_000_000);
  const ceiling = sqliteCeiling(bars.say);
  if ("missing" in ceiling) return bars.say(`recording is left out: ${ceiling.missing}`);
  for (const stack of STACKS) {
    const trace = path.join(folder, "recording.trace");
    const record = (): number => runProgram(setting, "record", "server", "--stack", stack, "--rows", String(rows), "-o", trace).ms;
    record();
    const blocks = path.join(folder, "recording.rows");
    await keepRows(trace, blocks);
    const commandMs: number[] = [];
    const ceilingMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      ceilingMs.push(ceiling.run(blocks, path.join(folder, "ceiling.db")));
      rmSync(trace, { recursive: true });
      commandMs.push(record());
    }
    rmSync(blocks);
    rmSync(trace, { recursive: true });
    const share = least(ceilingMs) / least(commandMs);
    const what = `eintr record / C into SQLite alone, ${millions(rows)} rows, ${stack}`;
    bars.report(what, times(share), `>= ${BAR.toFixed(1)} x`, share >= BAR);
  }
}

/** The rows of a trace as the C program reads them. */
async function keepRows(dir: string, file: string): Promise<void> {
  const trace = await openTrace(dir);
  const fd = openSync(file, "wx");
  try {
    for (const block of trace.rows()) writeAll(fd, blockBytes(block));
  } finally {
    closeSync(fd);
    trace.close();
  }
}
