/** Ctrl-C while `eintr analyze` runs, in a process of its own. `npm test` builds the program first. */

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { expect, test } from "vitest";
import { RULES } from "../../analyzer/catalogue.ts";
import { openTrace } from "../../recorder/index.ts";
import { PROGRAM } from "../support/program.ts";
import { tempPaths } from "../support/temp-dir.ts";
import { YIELD } from "./support.ts";

const fresh = tempPaths();
/** Some 0.4 s of analysis: time enough to see that it has begun. */
const ROWS = "2_000_000";

interface Running {
  readonly pid: number;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly talk: string }>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let talk = "";
  child.stdout.on("data", (part: Buffer) => (out += part.toString()));
  child.stderr.on("data", (part: Buffer) => (talk += part.toString()));
  return { pid: child.pid ?? 0, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, out, talk }))) };
}

/** Until the process reads the trace: its ears are open long before. */
async function reads(pid: number, dir: string): Promise<void> {
  const file = realpathSync(`${dir}/transitions.arrow`);
  for (;;) {
    const fds = readdirSync(`/proc/${pid}/fd`);
    if (fds.some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === file)) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Where the link leads; empty when it is gone meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** [rule, findings of it in the table] of the rules that ran. */
async function kept(dir: string): Promise<unknown[]> {
  const trace = await openTrace(dir, { onRebuild: (why) => expect.fail(`rebuilt: ${why}`) });
  const rows = trace.ask("SELECT rule, (SELECT count(*) FROM finding f WHERE f.rule = a.rule) FROM analysis a ORDER BY rule");
  trace.close();
  return rows;
}

test.skipIf(process.platform !== "linux")("Ctrl-C ends it at once, and what was found before stays as it was", async () => {
  const dir = fresh("long.trace");
  expect(await start("record", "server", "--rows", ROWS, "--stack", "graphene-sgx", "-o", dir).ended).toMatchObject({ code: 0 });
  expect(await start("analyze", dir, "--rule", YIELD).ended).toMatchObject({ code: 1 });
  const before = await kept(dir);
  expect(before).toEqual([[YIELD, expect.any(Number)]]);

  const { pid, ended } = start("analyze", dir);
  await reads(pid, dir);
  process.kill(pid, "SIGINT");
  const { code, out, talk } = await ended;
  expect(code, talk).toBe(130);
  // The outcome is told first; of findings there is none.
  expect(out).not.toMatch(/^(low|medium|high|critical) /m);
  expect(talk).toContain("interrupted; the findings of before are kept");
  expect(await kept(dir)).toEqual(before);
  expect(existsSync(`${dir}/trace.db-journal`)).toBe(false);

  expect(await start("analyze", dir).ended).toMatchObject({ code: 1 });
  expect(await kept(dir)).toHaveLength(RULES.length);
  expect(await kept(dir)).toContainEqual(before[0]);
});
