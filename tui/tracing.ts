/** A real program under strace: `eintr record -- PROG ARGS` and `-p PID`. Its log is kept, for findings name lines of it. */

import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, closeSync, constants, existsSync, openSync, readSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { InputError, type Io } from "./io.ts";

/** What is traced: a program with its arguments, or a process that runs. */
export type Traced = { readonly program: readonly string[] } | { readonly pid: number };

/** Follow children; times and durations; the file behind each descriptor. */
const OPTIONS = ["-f", "-ttt", "-T", "-y"] as const;

/**
 * Runs it to its end with our terminal as its own; Ctrl-C is the program's (with a pid, it ends the tracing). Writes `log` and resolves
 * when strace has ended. Throws InputError when strace is not there, or has traced nothing.
 */
export async function traceProgram(io: Pick<Io, "talk">, what: Traced, log: string, force: boolean): Promise<void> {
  const strace = findProgram("strace");
  if (strace === null) throw new InputError(MISSING);
  if (existsSync(log) && !force) throw new InputError(`${log} exists; --force replaces it, -o names another trace and log`);
  rmSync(log, { force: true });
  const target = "pid" in what ? ["-p", String(what.pid)] : ["--", ...what.program];
  // strace's own words would stand in the middle of what the program prints.
  const child = spawn(strace, [...OPTIONS, "-o", log, ...target], { stdio: "inherit" });
  if ("pid" in what) io.talk(`tracing process ${what.pid}; Ctrl-C ends the tracing, not the process\n`);
  const status = await ended(child, log);
  if (existsSync(log) && statSync(log).size > 0) return;
  rmSync(log, { force: true });
  throw new InputError(
    "pid" in what
      ? `strace could not trace process ${what.pid} (it ended with ${status}): does it run, and may you trace it? (sysctl kernel.yama.ptrace_scope, sudo)`
      : `strace could not run ${what.program[0] ?? "nothing"} (it ended with ${status}); its words are above`,
  );
}

const MISSING =
  "strace is not on the path; install it (apt install strace, dnf install strace, apk add strace), or bring a log from another machine: " +
  "strace -f -ttt -T -o FILE PROGRAM there, then: eintr record FILE";

/** The way strace itself ended, in words. */
function ended(child: ChildProcess, log: string): Promise<string> {
  // The terminal sends Ctrl-C to all of us: the program decides, strace waits for it, and so do we.
  const wait = (): void => {};
  const pass = (): void => passOn(child, log);
  process.on("SIGINT", wait);
  process.on("SIGQUIT", wait);
  process.on("SIGTERM", pass);
  return new Promise<string>((resolve, reject) => {
    child.once("error", (error) =>
      reject(new InputError(`strace cannot be started (${(error as NodeJS.ErrnoException).code ?? error.message})`)),
    );
    child.once("close", (code, signal) => resolve(signal ?? `status ${code}`));
  }).finally(() => {
    process.off("SIGINT", wait);
    process.off("SIGQUIT", wait);
    process.off("SIGTERM", pass);
  });
}

/** SIGTERM is for the program, too: strace holds it back while a program runs. The first line of the log has its id. */
function passOn(child: ChildProcess, log: string): void {
  const pid = firstPid(log);
  if (pid === null) child.kill("SIGTERM");
  else {
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      child.kill("SIGTERM");
    }
  }
}

function firstPid(log: string): number | null {
  try {
    const fd = openSync(log, "r");
    const start = Buffer.alloc(32);
    readSync(fd, start, 0, start.length, 0);
    closeSync(fd);
    const [, pid] = /^(\d{1,10}) /.exec(start.toString("latin1")) ?? [];
    return pid === undefined ? null : Number(pid);
  } catch {
    return null;
  }
}

/** The first executable of this name in PATH. */
function findProgram(name: string): string | null {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (folder !== "" && statSync(file).isFile()) return file;
    } catch {
      // Not here.
    }
  }
  return null;
}

/** Trace and log of a program: `python3.trace` beside `python3.strace`, and of what `-o` names. */
export function namesFor(what: Traced, output: string | undefined): { readonly dir: string; readonly log: string } {
  const own = "pid" in what ? `pid-${what.pid}` : path.basename(what.program[0] ?? "program").replace(/[^A-Za-z0-9._-]+/g, "-");
  const dir = output ?? `${own.replace(/^[^A-Za-z0-9]+/, "") || "program"}.trace`;
  return { dir, log: `${dir.replace(/\/+$/, "").replace(/\.trace$/, "")}.strace` };
}
