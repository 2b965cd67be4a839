/** Who goes on by himself, and when: threads, and what comes from outside. They are looked at anew only when something has changed (`Cpu.dirty`). */

import type { Cpu } from "./cpu.ts";
import { nextOutside } from "./outside-world.ts";
import type { Thread } from "./state.ts";
import { NEVER } from "./time.ts";

/** When a thread goes on by itself. */
export const timeOf = (t: Thread): number => (t.state === "run" ? t.time : t.wait === null ? NEVER : t.wait.deadline);

/** Belongs to a run and not to its state: after `look` it follows from that. */
export class Ready {
  /** Threads that may go on, and when, as at the last look; only the time of one that steps moves on between two looks. */
  private readonly threads: Thread[] = [];
  private times = new Float64Array(64);
  private first = 0;
  /** How many of them run and do not sleep. */
  running = 0;
  /** Time of the second earliest, as `earliest` found it. */
  horizon = NEVER;
  /** When the next plan or timer comes, as at the last look. */
  outside = NEVER;

  look(c: Cpu): void {
    const { threads } = this;
    if (this.times.length < c.awake.length) this.times = new Float64Array(2 * c.awake.length);
    let count = 0;
    let kept = 0;
    this.running = 0;
    for (const id of c.awake) {
      const t = c.m.threads[id];
      // Gone, or asleep until it is woken: not looked at again before that.
      if (!t) continue;
      const time = timeOf(t);
      const runs = t.state === "run";
      if (!runs && time >= NEVER) continue;
      c.awake[kept++] = id;
      if (c.process(t).stopped && !t.dying) continue;
      if (runs) this.running += 1;
      this.times[count] = time;
      threads[count++] = t;
    }
    // Setting a length takes longer than all of this.
    while (c.awake.length > kept) c.awake.pop();
    while (threads.length > count) threads.pop();
    this.outside = nextOutside(c);
  }

  /** The thread that goes on first. */
  earliest(): Thread | null {
    const { threads, times } = this;
    let first = -1;
    let earliest = NEVER;
    let horizon = NEVER;
    for (let i = 0; i < threads.length; i += 1) {
      const time = times[i] as number;
      if (time < earliest) {
        horizon = earliest;
        earliest = time;
        first = i;
      } else if (time < horizon) horizon = time;
    }
    this.first = first;
    this.horizon = horizon;
    return first < 0 ? null : (threads[first] as Thread);
  }

  /** The one that was the earliest has stepped, and nothing else has changed. */
  hasStepped(t: Thread): void {
    this.times[this.first] = t.time;
  }
}
