/** graphene-pr1218: the Linux PAL of its time under the LibOS of pull request 1218 (32a89d1d2, 2020-02-03), which was never merged. */

import { newFrame } from "../../control.ts";
import type { Flow, Program } from "../../flow.ts";
import { cloneFlows } from "../../libos/clone.ts";
import { SHIM_DO } from "../../libos/flows.ts";
import { fork } from "../../libos/fork.ts";
import { unlockAlone } from "../../libos/lock.ts";
import { ringFlows } from "../../libos/ring.ts";
import { signalCallFlows as sharedSignalCalls } from "../../libos/signal-calls.ts";
import { missingCall } from "../../libos/unimplemented.ts";
import { otherUpcalls } from "../../libos/upcalls.ts";
import { palMain } from "../../pal/flows.ts";
import { declareStack } from "../../stack/stack.ts";
import { copyOf, extended } from "../../state.ts";
import { type Fixes, firstOfName, graphene, libosParts, linuxPal, pending, preempt } from "../graphene-2019/parts.ts";
import { grapheneState } from "../graphene-2019/threads.ts";
import { toStub } from "../graphene-pr347/flows.ts";
import { zero } from "../graphene-pr347/frame.ts";
import { getHandler } from "../graphene-pr347/handler.ts";
import { appendFlows } from "./append.ts";
import { deliverFlows } from "./deliver.ts";
import { PR1218 } from "./flows.ts";
import { killFlows } from "./kill.ts";
import { graphenePr1218Mechanism } from "./mechanism.ts";
import { graphenePr1218Shown } from "./shown.ts";
import { signalCallFlows } from "./signal-calls.ts";
import { sigreturnFlows } from "./sigreturn.ts";
import { type Process, setUp, type Thread } from "./state.ts";
import { stubFlows } from "./stub.ts";
import { sysretFlows } from "./sysret.ts";
import { upcallFlows } from "./upcalls.ts";

/** Calls that were -ENOSYS in 2019 (shim_syscalls.c). */
const SINCE_2019: ReadonlySet<string> = new Set(
  (
    "eventfd eventfd2 getgroups getpriority mbind mincore newfstatat prlimit64 sched_get_priority_max sched_get_priority_min sched_getparam " +
    "sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setparam sched_setscheduler setgroups setpriority"
  ).split(" "),
);

const SWITCHES = ["pr347-tail-siginfo-stale", "pr347-default-action-as-handler", "suspend-on-signal-dead-flag"] as const;

/** Commits between 2019-03-29 and its base: what of them is a switch on the stacks of 2019 is how it is here. */
const MERGED: Fixes = new Set(["async-list-redundant-cancel"]);

const flows = (fixes: Fixes, debug = false): Flow[] =>
  firstOfName([
    ...upcallFlows,
    ...deliverFlows,
    ...sysretFlows,
    getHandler(PR1218.get_sighandler, "pr1218 4", true),
    ...killFlows,
    ...sigreturnFlows({
      staleInfo: fixes.has("pr347-tail-siginfo-stale"),
      defaultAction: fixes.has("pr347-default-action-as-handler"),
    }),
    ...stubFlows(debug),
    ...ringFlows("has_signal + 1, set SHIM_FLAG_MAY_DELIVER_SIGNAL", (t) => {
      (t as Thread).libos.sigpending = true;
    }),
    ...appendFlows,
    unlockAlone,
    ...signalCallFlows,
    fork(SHIM_DO.vfork),
    ...cloneFlows("invalid"),
    zero,
    ...sharedSignalCalls({
      looks: true,
      unlocks: true,
      deadFlag: fixes.has("suspend-on-signal-dead-flag"),
      pauses: true,
      keepsKill: false,
    }),
    ...otherUpcalls,
    ...linuxPal(true),
    ...libosParts(MERGED, toStub),
  ]);

export const graphenePr1218 = declareStack<Thread, Process>({
  ...graphene,
  ...graphenePr1218Shown,
  lacks: (call) => (SINCE_2019.has(call) ? null : missingCall(call)),
  text: "Graphene with pull request 1218: every signal is kept, handlers run on frames on the application's or its alternate stack",
  explain: graphenePr1218Mechanism,
  switches: SWITCHES,
  flows,
  boot: palMain,
  bootThread: (program: Program, start: number) => newFrame(program, start, {}),
  enclave: false,
  columns: { cssa: null, preempt, pending },
  state: {
    ...grapheneState,
    newThread(c, t, creator, cloned) {
      grapheneState.newThread(c, t, creator, cloned);
      setUp(t, c.process(t), creator);
    },
    newProcess(c, p, parent) {
      grapheneState.newProcess(c, p, parent);
      p.libos = extended(copyOf(p.libos), { killing: false });
    },
  },
});
