/** Why is a result so? From the transition that gave it to the one that it was made of, call by call down to the kernel. */

import { type Block, KIND, type KindName, kindName, resultText } from "../../../engine/index.ts";
import { withUnits } from "../../present/units.ts";
import type { Context } from "../context.ts";
import { findRow, goTo } from "./navigation.ts";

/**
 * What gives the result of each kind of transition, the nearest earlier one of the thread counts. Sources: a PAL call's result
 * becomes a LibOS one by pal_errno (shim_utils.h, PAL_ERRNO); an ocall's is the host system call's; DkExceptionReturn can leave a PAL
 * call with a result of its own (db_exception.c, _DkExceptionReturn).
 */
const MADE_OF: Partial<Record<KindName, readonly KindName[]>> = {
  "app.return": ["libos.syscall.exit", "host.syscall.exit"],
  "libos.syscall.exit": ["pal.errno.read", "pal.call.leave", "pal.call.abandon", "pal.exception.return", "host.syscall.exit"],
  "pal.errno.read": ["pal.call.leave", "pal.call.abandon", "pal.exception.return", "pal.errno.set"],
  "pal.errno.set": ["pal.call.leave", "ocall.return", "pal.event.inject", "host.syscall.exit"],
  "pal.call.leave": ["ocall.return", "pal.event.inject", "host.syscall.exit"],
  "pal.call.abandon": ["pal.exception.return", "pal.event.deliver", "pal.event.inject"],
  "pal.exception.return": ["pal.event.inject", "pal.event.deliver", "sgx.aex", "host.signal.deliver"],
  "pal.event.inject": ["host.signal.deliver", "sgx.aex"],
  "ocall.return": ["pal.event.inject", "host.syscall.exit"],
  "host.syscall.exit": ["thread.wake", "host.signal.generate", "host.syscall.enter"],
};

/** Where the call at hand begins: nothing before it made its result. */
const BEGINS = KIND["app.call"];

/** To the transition that the result here was made of. On another row: to the result of the call that goes on, else to the last one before. */
export async function whyResult(c: Context): Promise<void> {
  const { seq, thread } = c.state();
  const here = c.session.rows.at(seq);
  const from = here !== null && here.thread === thread ? MADE_OF[kindName(here.kind) as KindName] : undefined;
  const end = from === undefined ? endOfCall(c, thread, seq) : null;
  if (end !== null) {
    const { value = 0, site = -1 } = c.session.rows.at(end) ?? {};
    return goTo(
      c,
      end,
      thread,
      `the result of this call: ${withUnits(c.session.trace.sites[site]?.label ?? "")} = ${resultText(value)}; p goes down its road`,
    );
  }
  const wanted = new Set((from ?? (Object.keys(MADE_OF) as KindName[])).map((name) => KIND[name]));
  const isMine = (block: Block, i: number): boolean => block.thread[i] === thread;
  const takes = (block: Block, i: number): boolean =>
    isMine(block, i) && (wanted.has(block.kind[i] as never) || (from !== undefined && block.kind[i] === BEGINS));
  return findRow(c, seq, -1, takes, (found) => {
    const row = found === null ? null : c.session.rows.at(found);
    if (row === null && from === undefined)
      return c.dispatch({ type: "say", message: "no call has a result yet: p asks what a result is made of" });
    if (row === null || (from !== undefined && row.kind === BEGINS))
      return c.dispatch({ type: "say", message: "this is where the result was made: nothing before it in this call gave it" });
    const { trace } = c.session;
    const site = trace.sites[row.site];
    const value = RESULTS.has(row.kind) ? ` = ${resultText(row.value)}` : "";
    const turn = turnAt(c, row.seq);
    const made = turn === "" ? "made of this" : `made here, and this is ${turn}`;
    goTo(c, row.seq, thread, `${made}: ${site?.flow ?? ""}: ${withUnits(site?.label ?? "")}${value}; p goes on`);
  });
}

/** Where the call of the thread returns that has begun and not ended at `seq`; null when it is in none, or that never returns. */
function endOfCall({ session }: Context, thread: number, seq: number): number | null {
  const [call] = session.trace.ask("SELECT exit_seq FROM syscall WHERE thread = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", thread, seq);
  const end = Number(call?.[0] ?? -1);
  return end > seq && session.rows.at(end) !== null ? end : null;
}

/** "the wrong turn of finding 1, high"; "" where no finding has one. */
function turnAt(c: Context, seq: number): string {
  const { findings } = c.state();
  const at = findings.findIndex(({ evidence }) => evidence.some((one) => one.isTurn === true && one.seq === seq));
  return at < 0 ? "" : `the wrong turn of finding ${at + 1}, ${findings[at]?.severity ?? ""}`;
}

const RESULTS: ReadonlySet<number> = new Set(
  (["app.return", "libos.syscall.exit", "pal.errno.read", "pal.call.leave", "ocall.return", "host.syscall.exit"] as const).map(
    (name) => KIND[name],
  ),
);
