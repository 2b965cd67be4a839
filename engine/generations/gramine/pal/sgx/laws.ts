/** What holds in every state of the SGX PAL. */

import type { Look } from "../../../../stack/stack.ts";
import type { PalProcessSgx, PalSgx, Process, Thread } from "../../state.ts";

export function checkPalThread(look: Look<Thread, Process>, t: Thread, sgx: PalSgx): void {
  const say = (what: string): void => look.wrong(`thread ${t.name}: ${what}`);
  look.own(sgx, `thread ${t.name}: PAL`);
  if (sgx.preOcallStack > t.enclave.length) say(`pre_ocall_stack is ${sgx.preOcallStack}, the enclave's stack ${t.enclave.length}`);
  if (sgx.ocallExitCalled && sgx.preOcallStack >= 0) say("leaves for good and for an ocall");
  if ((sgx.lastAsyncEvent === 0) !== (sgx.lastAsyncId === 0)) say(`event ${sgx.lastAsyncEvent} waits with signal id ${sgx.lastAsyncId}`);
  if ((sgx.lastSyncEvent === 0) !== (sgx.lastSyncId === 0)) say(`fault ${sgx.lastSyncEvent} waits with signal id ${sgx.lastSyncId}`);
  if (sgx.readyForExceptions && !sgx.threadStarted) say("is ready for exceptions, and was not started");
  if (t.sgx?.aexNotify && !sgx.readyForAexNotify) say("is told of exits, and not ready for it");
  const mapped = look.m.processes[t.process]?.pal.sgx?.tcsMap[sgx.tcs];
  if (sgx.tcs >= 0 && mapped !== t.id) say(`has TCS ${sgx.tcs}, which is thread ${mapped}'s`);
}

export function checkPalProcess(look: Look<Thread, Process>, p: Process, sgx: PalProcessSgx): void {
  const name = `process ${p.name}`;
  look.own(sgx.tcsMap, `${name}: TCS map`);
  look.own(sgx.rpc.threads, `${name}: RPC threads`);
  look.own(sgx.rpc.queue, `${name}: RPC queue`);
  for (const id of sgx.rpc.queue) if (!sgx.rpc.requests[id]) look.wrong(`${name}: request ${id} is queued, and not known`);
  for (const request of Object.values(sgx.rpc.requests)) {
    look.own(request, `${name}: RPC request`);
    look.uses(request.word, name);
  }
  for (const owner of Object.values(sgx.pipeLocks)) {
    const t = look.m.threads[owner];
    if (t && t.process !== p.id) look.wrong(`${name}: thread ${t.name} of another process has the lock of a pipe`);
  }
}
