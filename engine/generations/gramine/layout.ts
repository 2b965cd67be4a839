/** What a search has to know of this generation's state (`engine/search/layout.ts`). */

import { list, type OwnLayout, record, table } from "../../search/layout.ts";
import type { LibosAction, LibosProcess, LibosState, PalProcess, PalState, Queued } from "./state.ts";

const QUEUED = record<Queued>("QueuedSignal", { info: "essential", id: "identity" });

export const layout: OwnLayout = {
  thread: {
    pal: record<PalState>("GraminePalState", {}),
    libos: record<LibosState>("GramineLibosState", {
      mask: "essential",
      savedMask: "essential",
      queue: list(QUEUED),
      forced: "essential",
    }),
  },
  process: {
    pal: record<PalProcess>("GraminePalProcess", { upcalls: table("essential") }),
    libos: record<LibosProcess>("GramineLibosProcess", {
      actions: table(record<LibosAction>("GramineAction", { mask: "essential" })),
      queue: list(QUEUED),
      injectedId: "identity",
      owners: table("essential"),
      lockObjects: table("essential"),
      futexes: table(list("essential")),
      threadList: list("essential"),
    }),
  },
};
