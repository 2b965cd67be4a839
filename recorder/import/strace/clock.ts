/** The time of a log: stamps of one kind, as ns since the first of them. */

import { bounded } from "./args.ts";
import type { Stamp } from "./lines.ts";
import type { Tally } from "./tally.ts";

/** Seconds since the epoch before which a time stamp is none (2001); strace -r writes differences. */
const EPOCH_FLOOR = 1e9;
const DAY_SECONDS = 86_400;

export class Clock {
  /** ns since the log began. */
  now = 0;
  first: Stamp | null = null;
  /** Line of the first stamp of another kind than those before; 0 without. */
  mixed = 0;
  /** Stamps before the one of the line before. */
  back = 0;
  private last = 0;
  private readonly tally: Tally;
  /** Times count from line to line (-r). */
  private relative = false;
  private days = 0;
  private lastSeconds = 0;

  constructor(tally: Tally) {
    this.tally = tally;
  }

  /** The stamp of a line. Time does not go back. */
  take(stamp: Stamp, line: number): void {
    const small = stamp.clock === "epoch" && stamp.seconds < EPOCH_FLOOR;
    if (this.first === null) this.begin(stamp, small);
    const first = this.first ?? stamp;
    if (small !== this.relative || stamp.clock !== first.clock) this.mixed ||= line;
    else if (this.relative) this.now = bounded(this.now + stamp.seconds * 1e9 + stamp.ns);
    else this.absolute(stamp, first);
  }

  private begin(stamp: Stamp, relative: boolean): void {
    this.first = stamp;
    this.relative = relative;
    if (relative) this.tally.note("relative-times");
    if (stamp.coarse) this.tally.note("coarse-times");
  }

  private absolute(stamp: Stamp, first: Stamp): void {
    if (stamp.clock === "day" && stamp.seconds < this.lastSeconds - DAY_SECONDS / 2) this.days += 1;
    this.lastSeconds = stamp.seconds;
    const at = (stamp.seconds + this.days * DAY_SECONDS - first.seconds) * 1e9 + stamp.ns - first.ns;
    if (at < this.last) this.back += 1;
    this.last = at;
    if (at < this.now) this.tally.note("clock-stepped-back");
    else this.now = bounded(at);
  }
}
