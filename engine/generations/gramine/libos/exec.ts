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
 * started the program of a log is the loader's, and none. Nobody in here looks at its own time_to_die: with exit_group in another thread both
 * wait for ever (libos_exec.c:176-187, libos_exit.c:162-182).
 */
const execve = (dropsAltstack: boolean): Flow =>
  flow(SYSCALL_FLOWS.execve, "libos", "7.7", (s) => [
    s.test("the loader's own?", (_, v) => v.loader, "loader"),
    s.test(
      "another thread is at it: this one ends",
      (c) => {
        const p = c.process(c.t).libos;
        const second = p.execing;
        p.execing = true;
        return second;
      },
      "second",
    ),
    s.call("kill_other_threads()", LIBOS.kill_other_threads),
    s.act("first := 0", (c) => {
      c.process(c.t).libos.execing = false;
    }),
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
    s.at("second"),
    s.call("thread_exit(0, 0)", LIBOS.thread_exit, () => ({ status: 0, signal: 0 })),
    s.at("loader"),
    s.act("0", (c) => {
      c.t.rax = 0;
    }),
    answer(s),
  ]);

export const execFlows = (fixes: { dropsAltstack: boolean }): Flow[] => [execve(fixes.dropsAltstack)];
