/** Forms of a log whose lines say too little, or stand in another order than that of time: what is counted to know them. */

import type { Clock } from "./clock.ts";
import type { Result } from "./lines.ts";

/** Share of lines whose time is before that of the line before, from which on the log runs backwards: a clock is set back once. */
const BACKWARDS = 0.8;

export class Order {
  private readonly clock: Clock;
  private lines = 0;
  private back = 0;
  private last: number | null = null;
  /** How often another thread's line came. */
  private turns = 0;
  /** Whether the first time stamp that went back was that of another thread. */
  private backAtTurn = false;
  /** Dispositions set for a signal that is written as a number, and as a name. */
  private numbers = 0;
  private names = 0;
  /** Dispositions set that stand as the address of what they are. */
  private addresses = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** After the clock has taken the line's time. */
  line(pid: number | null): void {
    const isTurn = this.lines > 0 && pid !== this.last;
    if (isTurn) this.turns += 1;
    this.lines += 1;
    this.last = pid;
    const isFirstBack = this.clock.back === 1 && this.back === 0;
    this.back = this.clock.back;
    if (isFirstBack) this.backAtTurn = isTurn;
  }

  call(name: string, args: string, { value }: Result): void {
    if (name !== "rt_sigaction" || value !== 0) return;
    if (/^\w+, 0x/.test(args)) this.addresses += 1;
    if (/^\d/.test(args)) this.numbers += 1;
    else this.names += 1;
  }

  /** What nothing can be made of, and what to do; empty where there is nothing of that sort. */
  problem(threads: number): string {
    if (this.numbers > 0 && this.names === 0) return "signals as numbers (-X raw, -e raw=...): what they are is not in the log";
    if (this.addresses > 0) return "structures as addresses (-e verbose=none): which handlers there are is not in the log";
    if (this.back > BACKWARDS * this.lines && this.back > 2) return "the newest line comes first; turn it round with: tac FILE";
    const isSorted = this.backAtTurn && threads > 1 && this.turns === threads - 1;
    return isSorted ? "sorted by thread, not by time; sort it with: sort -s -k2,2 FILE (where the time is the second word)" : "";
  }
}
