/** What readers of its traces see of its state: that of 2019, the flag, and the alternate stack. */

import type { Shown } from "../../stack/shown.ts";
import { stateLine } from "../../stack/state-lines.ts";
import { grapheneLinuxShown } from "../graphene-2019/shown.ts";
import type { Process, Thread } from "./state.ts";

export const graphenePr1218Shown: Shown<Thread, Process> = {
  ...grapheneLinuxShown,
  stateLines: (v) => [
    ...grapheneLinuxShown.stateLines(v),
    ...(v.thread.libos.ready
      ? [
          stateLine(
            "flags",
            `MAY_DELIVER_SIGNAL ${v.thread.libos.sigpending ? "set" : "clear"}  alternate stack ${v.thread.libos.altStack || "none"}`,
          ),
        ]
      : []),
  ],
};
