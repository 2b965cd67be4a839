/** What stands behind execve in a program: it is not to come back, so the program gives up. */

import { flow } from "../generations/graphene-2019/flow.ts";
import { behindExecve } from "../libos/flows.ts";
import { exitCall } from "./call.ts";
import { LIBC } from "./flows.ts";

/** As system() and posix_spawn() of POSIX do. */
export const behindExec = flow(behindExecve, "app", "errata B11", (s) => [
  s.call("execve came back: _exit(127)", LIBC.exit_group, () => exitCall(127)),
]);
