/** What a row of each kind does to what its thread has open. */

import { KIND, KIND_COUNT, KINDS, type KindName } from "../../engine/index.ts";
import { NONE, SCOPE, type ScopeType } from "./scopes.ts";

const OPENED_BY: Readonly<Partial<Record<KindName, ScopeType>>> = {
  "app.call": SCOPE.CALL,
  "libos.syscall.enter": SCOPE.SYSCALL,
  "pal.call.enter": SCOPE.PAL_CALL,
  "ocall.enter": SCOPE.OCALL,
  "host.syscall.enter": SCOPE.HOST_CALL,
  "libos.upcall.enter": SCOPE.UPCALL,
  "app.handler.enter": SCOPE.HANDLER,
  "host.signal.deliver": SCOPE.HOST_FRAME,
  // It is over with the scan, or with the next signal that the scan takes: no row says so.
  "libos.signal.fetch": SCOPE.FETCHED_SIGNAL,
};

const CLOSED_BY: Readonly<Partial<Record<KindName, ScopeType>>> = {
  "app.return": SCOPE.CALL,
  "libos.syscall.exit": SCOPE.SYSCALL,
  "pal.call.leave": SCOPE.PAL_CALL,
  "pal.call.abandon": SCOPE.PAL_CALL,
  "ocall.return": SCOPE.OCALL,
  "host.syscall.exit": SCOPE.HOST_CALL,
  "libos.upcall.return": SCOPE.UPCALL,
  "app.handler.return": SCOPE.HANDLER,
  "host.sigreturn": SCOPE.HOST_FRAME,
};

/** The scope that a row of the kind opens or closes, NONE for none. By kind id. */
export const OPENS: Int8Array = byKind((name) => OPENED_BY[name] ?? NONE);
export const CLOSES: Int8Array = byKind((name) => CLOSED_BY[name] ?? NONE);

/**
 * 1: the row's depth says which frames of the LibOS, the PAL and the application are left. Rows outside the enclave do not: an ocall that
 * was made on the untrusted stack loses the frames there (reference 3.4, sgx-rsp-window), and still comes back to where it was made.
 */
export const TELLS_DEPTH: Int8Array = byKind((name) => (/^(app|libos|pal\.call|pal\.exception)\./.test(name) ? 1 : 0));

/** Scopes of the host are left by rows of the host. By type of scope. */
export const OUTSIDE: Uint8Array = Uint8Array.from({ length: Object.keys(SCOPE).length }, (_, type) =>
  type === SCOPE.HOST_CALL || type === SCOPE.HOST_FRAME ? 1 : 0,
);

/** Rows that may name a thread that has none of its own yet, or no more: they begin no thread. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set(["host.signal.generate", "host.signal.discard", "process.exit", "thread.exit"]);
export const BEGINS_THREAD: Int8Array = byKind((name) => (FROM_OUTSIDE.has(name) ? 0 : 1));

/** Kinds that change no state of a thread. The model does not look at their rows unless a rule does. */
const SILENT: ReadonlySet<string> = new Set(["step", "branch", "call", "return", "app.compute"]);
export const CHANGES_STATE: Int8Array = byKind((name) => (SILENT.has(name) ? 0 : 1));

function byKind(of: (name: KindName) => number): Int8Array {
  const table = new Int8Array(KIND_COUNT);
  for (const { name } of KINDS) table[KIND[name]] = of(name);
  return table;
}
