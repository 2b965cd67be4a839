/** SPIN's exact search of `arrivals.pml`: what a model checker does with a system of about the size of ours. */

import { spawnSync } from "node:child_process";
import path from "node:path";
import { packageRoot } from "../../tui/package-root.ts";

/** Transitions a second; or why there is no figure. */
export type Spin = { readonly rate: number } | { readonly missing: string };

/** `folder`: for what SPIN and the compiler make. */
export function spinRate(folder: string): Spin {
  const model = path.join(packageRoot(), "test/bench/arrivals.pml");
  const steps: readonly (readonly [string, ...string[]])[] = [
    ["spin", "-a", model],
    ["cc", "-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"],
  ];
  for (const [command, ...words] of steps) {
    const { status, error, stderr } = spawnSync(command, words, { cwd: folder, encoding: "utf8" });
    if (error) return { missing: `${command} is not installed` };
    if (status !== 0) return { missing: `${command} failed: ${stderr.split("\n")[0]}` };
  }
  const { stdout } = spawnSync(path.join(folder, "pan"), ["-m100000", "-n"], { cwd: folder, encoding: "utf8" });
  const transitions = Number(/(\d+) transitions/.exec(stdout)?.[1]);
  const seconds = Number(/elapsed time ([\d.]+) seconds/.exec(stdout)?.[1]);
  return transitions > 0 && seconds > 0 ? { rate: transitions / seconds } : { missing: "its output has no rate" };
}
