/** SIGPIPE of a write without a reader (gramine-today.md 6; fs/pipe/fs.c, libos_socket.c). */

import type { Step } from "../../../flow.ts";
import { sentBy } from "../../../siginfo.ts";
import { SIG } from "../../../signals.ts";
import type { Steps } from "../flow.ts";
import { LIBOS } from "./flows.ts";

/** To the process, not to the thread (B17); `toThread`: to the thread. */
export const sendSigpipe = <V extends object>(s: Steps<V>, toThread: boolean): Step =>
  toThread
    ? s.call("append_signal(current, SIGPIPE)", LIBOS.append_signal, (c) => ({
        thread: c.t.id,
        info: sentBy(SIG.PIPE, c.process(c.t).pid),
        id: c.newSignalId(),
      }))
    : s.call("kill_current_proc(SIGPIPE)", LIBOS.kill_current_proc, (c) => ({
        info: sentBy(SIG.PIPE, c.process(c.t).pid),
        id: c.newSignalId(),
      }));
