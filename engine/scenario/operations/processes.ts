/** Operations on threads and processes. */

import * as z from "zod";
import { AS_LINUX, done, line, operation } from "../operation.ts";
import { childName, duration, exitStatus, name, programName } from "../values.ts";

const status = exitStatus.default(0).describe("the exit status");

const nohang = z.boolean().default(false).describe("true: 0 at once when there is nothing to tell (WNOHANG)");

export const PROCESSES = {
  clone: operation(
    {
      does: "start a thread running a program",
      linux: "The id of the new thread, which inherits the mask.",
      graphene: "The new thread gets copies of the dispositions, and of each only the handler.",
      example: "clone: worker",
      short: "program",
    },
    () => z.strictObject({ program: programName.describe("a program of the scenario's `programs`; the thread takes its name"), ...done }),
  ),
  "pthread-join": operation(
    {
      does: "wait for the end of a thread (pthread_join)",
      linux: "0. A signal does not end the wait: it is made again after the handler.",
      graphene:
        "As on Linux; it is the LibOS that wakes who waits, at the thread's exit. A thread that the PAL ends is waited for for ever.",
      example: "pthread-join: worker",
      short: "thread",
    },
    () => z.strictObject({ thread: programName.describe("the program that the thread runs"), ...done }),
  ),
  fork: operation(
    {
      does: "start a process running a program",
      linux: "The id of the new process, which inherits mask, dispositions and flags.",
      graphene: "A new host process that gets a checkpoint of the parent.",
      example: "fork: child",
      short: "program",
    },
    () => z.strictObject({ program: programName.describe("a program of the scenario's `programs`; the process takes its name"), ...done }),
  ),
  vfork: operation(
    {
      does: "start a process that borrows this one's memory (vfork)",
      linux: "The id of the new process. The caller sleeps until that one has called exec or has ended; signals wait meanwhile.",
      graphene: "The host thread goes on as the child. A child that ends without exec tells its parent status 0, and there is no SIGCHLD.",
      example: "vfork: child",
      short: "program",
    },
    () => z.strictObject({ program: programName.describe("a program of the scenario's `programs`; the process takes its name"), ...done }),
  ),
  "posix-spawn": operation(
    {
      does: "start a process as posix_spawn does, by clone with CLONE_VFORK",
      linux: "As vfork.",
      graphene: "An assertion fails: clone knows no CLONE_VFORK.",
      example: "posix-spawn: child",
      short: "program",
    },
    () => z.strictObject({ program: programName.describe("a program of the scenario's `programs`; the process takes its name"), ...done }),
  ),
  wait4: operation(
    {
      does: "wait for a child",
      linux: "The id of a child that has ended; -ECHILD without children. A signal with a handler ends it with -EINTR.",
      graphene: "Never -EINTR: handlers run in the middle of the wait. Children are those of the calling thread.",
      example: "wait4: { child: worker }",
    },
    () =>
      z.strictObject({
        child: childName.optional().describe("the program that the child runs; without it any child"),
        finds: childName.optional().describe("on native-linux: of several children that end, the one that the kernel of a log found"),
        nohang,
        untraced: z.boolean().default(false).describe("true: also a child that has stopped (WUNTRACED)"),
        continued: z.boolean().default(false).describe("true: also a child that goes on again (WCONTINUED)"),
        ...done,
      }),
  ),
  waitid: operation(
    {
      does: "wait for a change of a child",
      linux: "0. As wait4, for the changes that are asked for.",
      graphene: "Not implemented: -ENOSYS.",
      example: "waitid: { child: worker, stopped: true }",
    },
    () =>
      z.strictObject({
        child: childName.optional().describe("the program that the child runs; without it any child"),
        nohang,
        exited: z.boolean().default(true).describe("a child that has ended (WEXITED)"),
        stopped: z.boolean().default(false).describe("true: a child that has stopped (WSTOPPED)"),
        continued: z.boolean().default(false).describe("true: a child that goes on again (WCONTINUED)"),
        keep: z.boolean().default(false).describe("true: it can be waited for again (WNOWAIT)"),
        ...done,
      }),
  ),
  setpgid: operation(
    {
      does: "move a process into a process group",
      linux: "-EPERM for the leader of a session, -ESRCH for a process that is neither the caller nor its child.",
      graphene: "Changes one thread's record: not the other threads, and not what the other side of a fork knows.",
      example: "setpgid: { process: worker }",
    },
    () =>
      z.strictObject({
        process: name.default("self").describe("self, or the program that the process runs"),
        group: name.optional().describe("a process that leads the group, as `process`; without it the process leads one of its own"),
        ...done,
      }),
  ),
  setsid: operation(
    {
      does: "begin a session",
      linux: "Its number; -EPERM for the leader of a group.",
      graphene: "0 where Linux gives the number.",
      example: "setsid",
    },
    () => z.strictObject(done),
  ),
  getpgid: operation({ does: "ask for the process group", linux: "Its number.", graphene: AS_LINUX, example: "getpgid" }, () =>
    z.strictObject(done),
  ),
  exec: operation(
    {
      does: "become another program",
      linux: "Handlers go back to default; what is ignored stays so. The operations after it are the new program.",
      graphene:
        "Handlers stay. With other threads, and under SGX always, a new host process runs the program: signals from outside still go to the old one, a child's exit status reaches its parent with the sign turned, the first process ends with 0. While other threads live, exec returns 0 to the old program as well, which is taken to call _exit(127), as it is when exec fails.",
      example: "exec: { takes: 300us }",
    },
    () =>
      z.strictObject({
        takes: duration.default(0).describe("how long it takes"),
        loader: z.boolean().default(false).describe("true: of a log, what started the program; a library OS has no such call"),
        ...done,
      }),
  ),
  exit: operation(
    {
      does: "end this thread",
      linux: "The process ends with its last thread.",
      graphene: AS_LINUX,
      example: "exit: { status: 1 }",
      short: "status",
    },
    () => z.strictObject({ status, line }),
  ),
  "exit-group": operation(
    {
      does: "end this process",
      linux: "All its threads end.",
      graphene: "The other threads get SIGKILL as a signal of the LibOS, which can be blocked and changes the exit status to 0.",
      example: "exit-group: { status: 1 }",
      short: "status",
    },
    () => z.strictObject({ status, line }),
  ),
  yield: operation({ does: "let other threads run (sched_yield)", linux: "0.", graphene: AS_LINUX, example: "yield" }, () =>
    z.strictObject(done),
  ),
  getpid: operation(
    { does: "a system call that does nothing", linux: "The id of the process.", graphene: AS_LINUX, example: "getpid" },
    () => z.strictObject(done),
  ),
} as const;
