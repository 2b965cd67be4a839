/** graphene-linux and graphene-sgx: the PAL's flows under the same LibOS, with the fixes that were asked for. */

import { toShim } from "../../app/flows.ts";
import { shimCall } from "../../app/syscalls.ts";
import { newFrame } from "../../control.ts";
import type { Flow, Program } from "../../flow.ts";
import { enter } from "../../frames.ts";
import { restorer } from "../../host/restorer.ts";
import { deliverFlows } from "../../libos/deliver.ts";
import { upcallFlows } from "../../libos/upcalls.ts";
import { palCalls } from "../../pal/calls.ts";
import { palMain } from "../../pal/flows.ts";
import { getHandler } from "../../pal/handler-table.ts";
import { entryFlows } from "../../pal/sgx/entry.ts";
import { exceptionFlows } from "../../pal/sgx/exception.ts";
import { loadEnclave, threadStart } from "../../pal/sgx/flows.ts";
import { untrustedFlows } from "../../pal/sgx/untrusted.ts";
import { declareStack } from "../../stack/stack.ts";
import { SYSCALL_NAMES } from "../../syscalls.ts";
import { grapheneLinuxMechanism, grapheneSgxMechanism } from "./mechanism.ts";
import { type Fixes, graphene, libosParts, linuxPal, mainOf, pending, preempt, SWITCHES } from "./parts.ts";
import { grapheneLinuxShown, grapheneSgxShown } from "./shown.ts";
import type { Process, SgxThread, Thread } from "./state.ts";

/** Of this generation's own delivery. */
const DELIVERY = ["default-action-table-wrong"] as const;

/** The LibOS, the same for all PALs. */
const libos = (fixes: Fixes, debug: boolean): Flow[] => [
  ...deliverFlows({
    yieldAfterSignal: fixes.has("spurious-yield-per-pending"),
    delayedBit: fixes.has("signal-delayed-breaks-preempt-assert"),
    defaults: fixes.has("default-action-table-wrong"),
  }),
  ...upcallFlows({ delayedBit: fixes.has("signal-delayed-breaks-preempt-assert") }),
  ...SYSCALL_NAMES.map((name) => shimCall(name, debug)),
  ...libosParts(fixes, toShim),
];

export const grapheneLinux = declareStack<Thread, Process>({
  ...graphene,
  text: "Graphene on the Linux PAL: signals in a PAL call are kept until its end",
  explain: grapheneLinuxMechanism,
  switches: [...DELIVERY, ...SWITCHES],
  flows: (fixes: Fixes, debug = false): Flow[] => [...linuxPal(), ...libos(fixes, debug)],
  boot: palMain,
  bootThread: (program: Program, start: number) => newFrame(program, start, {}),
  enclave: false,
  columns: { cssa: null, preempt, pending },
  ...grapheneLinuxShown,
});

export const grapheneSgx = declareStack<SgxThread, Process>({
  ...graphene,
  text: "Graphene on the Linux-SGX PAL: signals enter the enclave by an exception or a return from an ocall",
  explain: grapheneSgxMechanism,
  switches: ["sgx-interrupted-code-lost", "sgx-nested-host-signal", ...DELIVERY, ...SWITCHES],
  flows: (fixes: Fixes, debug = false): Flow[] => [
    mainOf("sgx"),
    restorer("untrusted-pal"),
    getHandler,
    ...untrustedFlows({ oneHandler: fixes.has("sgx-nested-host-signal") }),
    ...entryFlows,
    ...exceptionFlows({ interruptedCode: fixes.has("sgx-interrupted-code-lost") }),
    ...palCalls("sgx"),
    ...libos(fixes, debug),
  ],
  boot: loadEnclave,
  bootThread: (program: Program, start: number) => enter(program, threadStart, { start }),
  enclave: true,
  columns: { cssa: (t) => t.sgx.cssa, preempt, pending },
  ...grapheneSgxShown,
});
