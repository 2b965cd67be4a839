/** graphene-pr347: the Linux PAL of 2019 under the LibOS of pull request 347 (54d9f053c, 2018-11-26), which was never merged. */

import { newFrame } from "../../control.ts";
import type { Flow, Program } from "../../flow.ts";
import { ringFlows } from "../../libos/ring.ts";
import { otherUpcalls } from "../../libos/upcalls.ts";
import { palMain } from "../../pal/flows.ts";
import { declareStack } from "../../stack/stack.ts";
import { type Fixes, graphene, libosParts, linuxPal, pending, preempt, SWITCHES } from "../graphene-2019/parts.ts";
import { grapheneLinuxShown } from "../graphene-2019/shown.ts";
import { grapheneState } from "../graphene-2019/threads.ts";
import { deliverFlows } from "./deliver.ts";
import { toStub } from "./flows.ts";
import { frameFlows } from "./frame.ts";
import { handlerFlows } from "./handler.ts";
import { graphenePr347Mechanism } from "./mechanism.ts";
import { sigreturnFlows } from "./sigreturn.ts";
import { type Process, type Thread, withOwnFields } from "./state.ts";
import { stubFlows } from "./stub.ts";
import { sysretFlows } from "./sysret.ts";

const OWN = [
  "pr347-lost-in-libos",
  "pr347-same-number-drop",
  "pr347-blocked-pending-spins",
  "pr347-default-action-as-handler",
  "pr347-tail-siginfo-stale",
  "pr347-tail-chain-wild-return",
  "pr347-siginfo-garbage",
] as const;

const ending = (fixes: Fixes) => ({
  spins: fixes.has("pr347-blocked-pending-spins"),
  defaultAction: fixes.has("pr347-default-action-as-handler"),
});

const flows = (fixes: Fixes, debug = false): Flow[] => [
  ...linuxPal(),
  ...otherUpcalls,
  ...deliverFlows({
    lost: fixes.has("pr347-lost-in-libos"),
    sameNumber: fixes.has("pr347-same-number-drop"),
    defaultAction: fixes.has("pr347-default-action-as-handler"),
    delayedBit: fixes.has("signal-delayed-breaks-preempt-assert"),
    yieldAfterSignal: fixes.has("spurious-yield-per-pending"),
  }),
  ...handlerFlows,
  ...ringFlows(),
  ...frameFlows,
  ...sysretFlows({
    ...ending(fixes),
    siginfo: fixes.has("pr347-siginfo-garbage"),
  }),
  ...sigreturnFlows({
    ...ending(fixes),
    staleInfo: fixes.has("pr347-tail-siginfo-stale"),
    chain: fixes.has("pr347-tail-chain-wild-return"),
  }),
  ...stubFlows(ending(fixes), debug),
  ...libosParts(fixes, toStub),
];

export const graphenePr347 = declareStack<Thread, Process>({
  ...graphene,
  ...grapheneLinuxShown,
  text: "Graphene with pull request 347: handlers on frames on the application's stack, at the end of a call or where it was interrupted",
  explain: graphenePr347Mechanism,
  switches: [...SWITCHES, ...OWN],
  flows,
  boot: palMain,
  bootThread: (program: Program, start: number) => newFrame(program, start, {}),
  enclave: false,
  columns: { cssa: null, preempt, pending },
  state: {
    ...grapheneState,
    newThread(c, t, creator, cloned) {
      grapheneState.newThread(c, t, creator, cloned);
      t.libos = withOwnFields(t.libos, c.process(t), creator);
    },
  },
});
