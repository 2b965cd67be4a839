/** What a search has to know of this generation's state (`engine/search/layout.ts`). */

import { list, type OwnLayout, record, table } from "../../search/layout.ts";
import type {
  AsyncEvent,
  AsyncWorker,
  Child,
  Ipc,
  IpcWaiter,
  LibosAction,
  LibosProcess,
  LibosState,
  PalProcess,
  PalProcessSgx,
  PalSgx,
  PalState,
  Queued,
  Rpc,
  RpcRequest,
} from "./state.ts";

const QUEUED = record<Queued>("QueuedSignal", { info: "essential", id: "identity" });

const RPC = record<Rpc>("GramineRpc", {
  threads: list("essential"),
  queue: list("essential"),
  requests: table(record<RpcRequest>("GramineRpcRequest", { args: "essential", mail: "essential" })),
});

export const layout: OwnLayout = {
  thread: {
    pal: record<PalState>("GraminePalState", {
      timeLeft: "clock",
      sgx: record<PalSgx>("GraminePalSgx", { lastAsyncId: "identity", lastSyncId: "identity" }),
    }),
    libos: record<LibosState>("GramineLibosState", {
      mask: "essential",
      savedMask: "essential",
      queue: list(QUEUED),
      forced: "essential",
      cloned: "essential",
    }),
  },
  process: {
    pal: record<PalProcess>("GraminePalProcess", {
      upcalls: table("essential"),
      sgx: record<PalProcessSgx>("GraminePalProcessSgx", {
        tcsMap: list("essential"),
        handles: table("essential"),
        tscBase: "clock",
        pipeLocks: table("essential"),
        records: table("essential"),
        rpc: RPC,
      }),
    }),
    libos: record<LibosProcess>("GramineLibosProcess", {
      actions: table(record<LibosAction>("GramineAction", { mask: "essential" })),
      queue: list(QUEUED),
      injectedId: "identity",
      owners: table("essential"),
      lockObjects: table("essential"),
      futexes: table(list("essential")),
      threadList: list("essential"),
      async: record<AsyncWorker>("AsyncWorker", { list: list(record<AsyncEvent>("GramineAsyncEvent", {})) }),
      realItimer: record<LibosProcess["realItimer"]>("GramineRealItimer", {}),
      ipc: record<Ipc>("Ipc", { waiters: list(record<IpcWaiter>("IpcWaiter", {})) }),
      children: list(record<Child>("Child", {})),
      zombies: list(record<Child>("Zombie", {})),
      waitQueue: list("essential"),
      streams: record<LibosProcess["streams"]>("Streams", {}),
    }),
  },
};
