/** _restore_sgx_context: registers of a context come back (gramine-today.md 4.2, 4.3 step 8; enclave_entry.S). */

import { running } from "../../../../cpu.ts";
import type { Flow } from "../../../../flow.ts";
import { ENCLAVE } from "../../../../state.ts";
import { jumpTo } from "../../context.ts";
import { type SgxCpu as Cpu, sgxFlow as flow } from "../../flow.ts";
import { restoreSgxContext, type Saved } from "./flows.ts";

/** The three instructions that stage one does in software: R15, RSP, and the jump. */
export const INST0 = "restore_sgx_context_inst0";
export const INST1 = "restore_sgx_context_inst1";
export const INST2 = "restore_sgx_context_inst2";

const restore = flow(restoreSgxContext, "pal", "4.2", (s) => [
  s.act("xstate and registers := the saved ones; tmp_rip := RIP"),
  s.at(INST0),
  s.act("R15 := the saved one"),
  s.at(INST1),
  s.act("RSP := the saved one"),
  s.at(INST2),
  s.act("jump to tmp_rip", (c, v) => {
    c.value = v.built.length > 0 ? 1 : 0;
    const { rdi, rsi, carried } = v;
    jumpTo(c, v);
    c.t.rdi = rdi;
    c.t.rsi = rsi;
    c.t.eventSignalId = carried;
  }),
]);

/** The same for a thread that is interrupted there: its registers are those that stand in SSA[0] afterwards. */
export function restoreIn(c: Cpu, v: Saved): { rdi: number; rsi: number; carried: number; rax: number; depth: number } {
  const t = c.t;
  const { stack, rax } = t;
  const { rdi, rsi, carried } = v;
  t.stack = ENCLAVE;
  jumpTo(c, v);
  const after = { rdi, rsi, carried, rax: t.rax, depth: running(t).length };
  t.stack = stack;
  t.rax = rax;
  return after;
}

export const restoreFlows: readonly Flow[] = [restore];
