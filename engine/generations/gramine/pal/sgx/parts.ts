/** The flows of the SGX PAL, by the options of the manifest and the fixes. */

import type { Flow } from "../../../../flow.ts";
import { restorer } from "../../../../host/restorer.ts";
import type { SwitchName } from "../../../../options.ts";
import { palCalls } from "../calls.ts";
import { enclaveStartFlows } from "./enclave-start.ts";
import { entryFlows } from "./entry.ts";
import { exceptionFlows } from "./exception.ts";
import { exitlessFlows } from "./exitless.ts";
import { OCALL_KINDS, type OcallKinds } from "./flows.ts";
import { hostOcalls } from "./host-ocalls.ts";
import { hostSignalFlows } from "./host-signals.ts";
import { hostStartFlows } from "./host-start.ts";
import { newProcessFlows } from "./new-process.ts";
import { ocallFlows } from "./ocall.ts";
import { pipeFlows } from "./pipes.ts";
import { restoreFlows } from "./restore.ts";

type Switches = ReadonlySet<SwitchName>;

export const SGX_OPTIONS = ["exinfo", "memfaults-without-exinfo", "edmm", "exitless", "aex-notify"] as const;
export const SGX_FIXES = [
  "not-ready-fail-loop",
  "exitless-eintr-is-eperm",
  "exitless-child-keeps-rpc-mask",
  "connect-never-eintr",
  "plain-eintr-from-file-io",
  "pipe-answers-eintr",
  "fork-answers-eintr",
  "tls-write-eintr-substitution",
  "shutdown-skipped-by-pending-event",
  "sgx-quit-overwritten-in-ocall",
] as const;

const ocallKinds = (on: Switches): OcallKinds => {
  const { connect, connect_simple, pread, pwrite, shutdown, create_process } = OCALL_KINDS;
  const waitsForNoEvent = on.has("plain-eintr-from-file-io");
  return {
    ...OCALL_KINDS,
    connect: { ...connect, again: on.has("pipe-answers-eintr") },
    connect_simple: { ...connect_simple, again: !on.has("connect-never-eintr") },
    pread: { ...pread, interruptible: !waitsForNoEvent },
    pwrite: { ...pwrite, interruptible: !waitsForNoEvent },
    create_process: { ...create_process, exits: on.has("exitless-child-keeps-rpc-mask") },
    shutdown: { ...shutdown, interruptible: !on.has("shutdown-skipped-by-pending-event") },
  };
};

export const sgxPal = (on: Switches): Flow[] => {
  const kinds = ocallKinds(on);
  const edmm = on.has("edmm");
  const waitsOn = on.has("exitless-eintr-is-eperm");
  const again = on.has("fork-answers-eintr");
  const ways = { exitless: on.has("exitless"), notify: on.has("aex-notify") };
  return [
    restorer("untrusted-pal"),
    ...hostSignalFlows(ways),
    ...hostStartFlows({ exinfo: on.has("exinfo"), rights: edmm, breakpoints: true }, ways),
    ...hostOcalls(kinds),
    ...entryFlows({ ...ways, ignoresEarly: on.has("not-ready-fail-loop"), keepsQuit: on.has("sgx-quit-overwritten-in-ocall") }),
    ...ocallFlows({ ...ways, kinds }),
    ...restoreFlows,
    ...exceptionFlows({ withoutExinfo: on.has("memfaults-without-exinfo"), edmm, notify: ways.notify }),
    ...enclaveStartFlows({ ...ways, again }),
    ...newProcessFlows({ again }),
    ...pipeFlows({ sends: on.has("tls-write-eintr-substitution") }),
    ...(ways.exitless ? exitlessFlows({ waitsOn }) : []),
    ...palCalls("sgx"),
  ];
};
