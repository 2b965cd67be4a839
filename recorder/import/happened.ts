/** Rows of what a log says happened: places, threads and signals get their numbers as they are met. */

import { type KindName, type Layer, SIGNAL_COUNT, type Site, type ThreadInfo } from "../../engine/index.ts";
import type { ImportedRow } from "./rows.ts";

/** Different places kept apart; arguments of calls may make any number of them. */
const MOST_SITES = 20_000;

/** Of the operating system, in a trace. */
const LARGEST_ID = 2 ** 32 - 1;

/** What a stranger's log says may be more than any column holds. */
const within = (number: number, most: number): number => (number >= 0 ? Math.min(Math.floor(number), most) : 0);

const DEEPEST = 0xffff;
const depthOf = ({ depth }: Row): Pick<Row, "depth"> => (depth === undefined ? {} : { depth: within(depth, DEEPEST) });

export interface Row {
  readonly signal?: number;
  readonly value?: number;
  readonly extra?: number;
  readonly depth?: number;
}

export class Happened {
  readonly sites: Site[] = [];
  readonly threads: ThreadInfo[] = [];
  readonly texts: readonly string[] = [""];
  /** ns since the log began. Time does not go back. */
  now = 0;
  private rows: ImportedRow[] = [];
  /** Handlers that run on each thread. */
  private readonly running: number[] = [];
  private readonly places = new Map<string, number>();
  private readonly numbers = new Map<string, number>();

  /** `key` names the thread in the log. */
  thread(key: string): number | undefined {
    return this.numbers.get(key);
  }

  addThread(key: string, info: ThreadInfo): number {
    const number = this.threads.push({ ...info, pid: within(info.pid, LARGEST_ID), tid: within(info.tid, LARGEST_ID) }) - 1;
    this.numbers.set(key, number);
    return number;
  }

  put(thread: number, kind: KindName, layer: Layer, label: string, row: Row = {}): void {
    const context = (this.running[thread] ?? 0) > 0 ? "signal" : "normal";
    const { value = 0 } = row;
    const time = within(this.now, Number.MAX_SAFE_INTEGER);
    const exact = Number.isSafeInteger(value) ? value : Math.sign(value) * Number.MAX_SAFE_INTEGER || 0;
    this.rows.push({ time, thread, site: this.site(layer, label, context), kind, ...row, value: exact, ...depthOf(row) });
  }

  /** What the thread does from here on it does in signal context. */
  enterHandler(thread: number): void {
    this.running[thread] = (this.running[thread] ?? 0) + 1;
  }

  leaveHandler(thread: number): void {
    this.running[thread] = Math.max(0, (this.running[thread] ?? 0) - 1);
  }

  /** The rows since the last time. */
  take(): ImportedRow[] {
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  private site(layer: Layer, label: string, context: Site["context"]): number {
    const key = `${layer} ${context} ${label}`;
    const known = this.places.get(key);
    if (known !== undefined) return known;
    // The name of a call alone, when there are too many.
    const name = label.split("(", 1)[0] ?? label;
    if (this.sites.length >= MOST_SITES && name !== label) return this.site(layer, name, context);
    const site = this.sites.push({ flow: "the log", step: this.sites.length, label: label.slice(0, 200), layer, context, source: "" }) - 1;
    this.places.set(key, site);
    return site;
  }
}

/** Ids of signals on their way: what was sent is found again by whom it was sent to. Sending may be told after arriving. */
export class SignalIds {
  private last = 0;
  private readonly sent = new Map<string, number[]>();
  /** Taken before the log told of the sending. */
  private readonly early = new Map<string, number[]>();

  send(target: string, signal: number): number {
    const key = `${target} ${signal}`;
    const taken = this.early.get(key)?.shift();
    if (taken !== undefined) return taken;
    this.last += 1;
    const waiting = this.sent.get(key);
    if (waiting === undefined) this.sent.set(key, [this.last]);
    else waiting.push(this.last);
    return this.last;
  }

  has(targets: readonly string[], signal: number): boolean {
    return targets.some((target) => (this.sent.get(`${target} ${signal}`)?.length ?? 0) > 0);
  }

  /** Number of the signal sent last to one of the targets of those that nobody took; null when there is none. */
  newest(targets: readonly string[]): number | null {
    let [newest, found] = [0, null as number | null];
    for (const target of targets) {
      for (let signal = 1; signal <= SIGNAL_COUNT; signal += 1) {
        const id = this.sent.get(`${target} ${signal}`)?.at(-1) ?? 0;
        if (id > newest) [newest, found] = [id, signal];
      }
    }
    return found;
  }

  /** One that was sent to the first of the targets that has any; a new one when the log told of none. */
  take(targets: readonly string[], signal: number): number {
    for (const target of targets) {
      const found = this.sent.get(`${target} ${signal}`)?.shift();
      if (found !== undefined) return found;
    }
    this.last += 1;
    for (const target of targets) {
      const key = `${target} ${signal}`;
      this.early.set(key, [...(this.early.get(key) ?? []), this.last].slice(-1));
    }
    return this.last;
  }
}
