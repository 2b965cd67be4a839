/** vfork and posix_spawn of an application above a LibOS. */

import { newFrame } from "../control.ts";
import { type Flow, flow } from "../generations/graphene-2019/flow.ts";
import { copyOf, extended } from "../state.ts";
import { exitCall } from "./call.ts";
import { type Entry, LIBC } from "./flows.ts";
import { returned, shimArgs } from "./syscalls.ts";

/** Both return from the same call, the child first. */
const libcVfork = (entry: Entry): Flow =>
  flow(LIBC.vfork, "app", "2.15", (s) => [
    s.call(entry.label("vfork"), entry.refs.vfork, (c, v) => shimArgs(c, copyOf(v)), "libos.syscall.enter"),
    s.test("not 0: the parent", (c) => c.t.rax !== 0, "parent"),
    s.act(
      "0: the child",
      (c) => {
        c.value = c.t.libos.parent;
      },
      "thread.start",
    ),
    s.callDynamic("the child's program", (c) => newFrame(c.program, c.flowOf(c.t.program), {})),
    s.call("exit_group(0)", LIBC.exit_group, () => exitCall(0)),
    s.at("parent"),
    s.ret("back in the application", returned, "app.return"),
  ]);

/** glibc 2.24 and later: clone with CLONE_VM and CLONE_VFORK. */
const posixSpawn = (entry: Entry): Flow =>
  flow(LIBC.posix_spawn, "app", "2.15", (s) => [
    s.call(
      `clone(CLONE_VM|CLONE_VFORK): ${entry.label("clone")}`,
      entry.refs.clone,
      (c, v) => shimArgs(c, extended(copyOf(v), { vfork: true })),
      "libos.syscall.enter",
    ),
    s.ret("back in the application", returned, "app.return"),
  ]);

export const vforkCalls = (entry: Entry): Flow[] => [libcVfork(entry), posixSpawn(entry)];
