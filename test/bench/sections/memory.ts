/** Most memory that the command holds while it records: it must not grow with rows, nor with threads and processes that are gone. */

import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { millions, type Setting, times } from "../bars.ts";
import { runProgram } from "../child.ts";

const BAR = 1.15;

/** Threads and processes that begin and end, and nothing else. */
const CHURN = `name: churn
title: Threads and children that come and go
main:
  - loop:
      do:
        - clone: short
        - compute: 40us
        - fork: child
        - wait4: { child: child }
programs:
  short: [ compute: 1us ]
  child: [ compute: 1us, exit-group: { status: 0 } ]
limit: { transitions: 1000000000 }
`;

export function memory(setting: Setting): void {
  const { bars, folder } = setting;
  const churn = path.join(folder, "churn.yaml");
  writeFileSync(churn, CHURN);
  const peak = (scenario: string, rows: number): number => {
    const trace = path.join(folder, "memory.trace");
    const { peakKilobytes } = runProgram(setting, "record", scenario, "--stack", "graphene-sgx", "--rows", String(rows), "-o", trace);
    rmSync(trace, { recursive: true });
    return peakKilobytes;
  };
  const compare = (what: string, scenario: string, few: number, many: number): void => {
    const ratio = peak(scenario, many) / peak(scenario, few);
    bars.report(`memory, ${what}, ${millions(many)} rows / ${millions(few)}`, times(ratio), `<= ${BAR} x`, ratio <= BAR);
  };
  compare("server", "server", setting.rows(1_000_000), setting.rows(40_000_000));
  compare("threads and processes that end", churn, setting.rows(1_000_000), setting.rows(10_000_000));
}
