/** execve: the same process, another program (gramine-today.md 7.7; libos_exec.c). */

import type { Flow } from "../../../flow.ts";
import { contextOf, jumpTo } from "../context.ts";
import { flow } from "../flow.ts";
import { SIG_DFL } from "../state.ts";
import { answer } from "./answer.ts";
import { LIBOS, SYSCALL_FLOWS } from "./flows.ts";
import { DISPOSITIONS_LOCK } from "./names.ts";

/**
 * Handlers go back to default, what is ignored stays so; mask, pending signals, timers and the alternate stack stay (B14). The new program is
 * entered without the tail of a call: syscall_nr keeps the number of execve until its first call ends (corrections 5.M2). The call that
 * started the program of a log is the loader's, and none.
 */
const execve = (dropsAltstack: boolean): Flow =>
  flow(SYSCALL_FLOWS.execve, "libos", "7.7", (s) => [
    s.test("the loader's own?", (_, v) => v.loader, "loader"),
    s.call("kill_other_threads()", LIBOS.kill_other_threads),
    s.call("thread_sigaction_reset_on_execve: lock(dispositions)", LIBOS.lock, () => ({ name: DISPOSITIONS_LOCK })),
    s.act("handlers := SIG_DFL", (c) => {
      for (const action of Object.values(c.process(c.t).libos.actions))
        if (action.flow >= 0) Object.assign(action, { flow: SIG_DFL, flags: 0, mask: [0, 0] });
    }),
    s.call("thread_sigaction_reset_on_execve: unlock(dispositions)", LIBOS.unlock, () => ({ name: DISPOSITIONS_LOCK })),
    dropsAltstack
      ? s.act("no alternate stack", (c) => {
          c.t.libos.altStack = 0;
        })
      : null,
    s.act("memory, loader, robust list", (c) => {
      c.t.libos.altFreed = c.t.libos.altStack > 0;
    }),
    s.act(
      "execute_elf_object: the new program",
      (c) => {
        contextOf(c).rax = 0;
        jumpTo(c, contextOf(c));
      },
      "libos.syscall.exit",
    ),
    s.at("loader"),
    s.act("0", (c) => {
      c.t.rax = 0;
    }),
    answer(s),
  ]);

export const execFlows = (fixes: { dropsAltstack: boolean }): Flow[] => [execve(fixes.dropsAltstack)];
