/** What a search has to know of this generation's state (`engine/search/layout.ts`). */

import { list, type OwnLayout, record, table } from "../../search/layout.ts";
import type {
  AsyncEvent,
  Exited,
  IpcState,
  LibosAction,
  LibosProcess,
  LibosState,
  PalProcess,
  PalState,
  Ring,
  ShimChild,
  ShimSignal,
  TidRun,
} from "./state.ts";

export const layout: OwnLayout = {
  thread: {
    pal: record<PalState>("PalState", {
      queue: list(record<PalState["queue"][number]>("PalEvent", { id: "identity" })),
      pendingId: "identity",
    }),
    libos: record<LibosState>("LibosState", {
      mask: "essential",
      rings: table(record<Ring>("Ring", { slots: list(record<ShimSignal>("ShimSignal", { info: "essential", id: "identity" })) })),
      actions: table(record<LibosAction>("LibosAction", { mask: "essential" })),
      exited: list(record<Exited>("Exited", {})),
      cloned: "essential",
    }),
  },
  process: {
    pal: record<PalProcess>("PalProcess", { locks: table("essential"), lockObjects: table("essential"), upcalls: table("essential") }),
    libos: record<LibosProcess>("LibosProcess", {
      asyncList: list(record<AsyncEvent>("AsyncEvent", {})),
      realItimer: record<LibosProcess["realItimer"]>("RealItimer", {}),
      asyncEvents: "identity",
      threadList: list("essential"),
      endedThreads: list(record<TidRun>("TidRun", {})),
      ipc: record<IpcState>("IpcState", { children: list("essential"), waiting: list("essential") }),
      children: list(record<ShimChild>("ShimChild", {})),
      closedObjects: list("essential"),
      futexes: table(list("essential")),
      exiting: record<LibosProcess["exiting"]>("ProcessEnd", {}),
    }),
  },
};
