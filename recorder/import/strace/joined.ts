/**
 * Lines that belong together: one that strace broke off to speak of a process, one that the traced program wrote into, one that a
 * narrow terminal or a mailer wrapped. One line is held back, until the next one is seen to begin something new.
 */

import { type Line, parseLine } from "./lines.ts";

export interface Joined {
  readonly line: Line;
  /** Number of its first line, from 1. */
  readonly number: number;
  /** Further lines of the file that it is made of: `broken` by strace's own words, `wrapped` by anything else. */
  readonly broken: number;
  readonly wrapped: number;
  /** Threads that strace told of in the middle of it. */
  readonly announced: readonly number[];
}

export interface Joiner {
  /** The line before, when this one does not belong to it. */
  add(text: string, number: number): Joined | null;
  flush(): Joined | null;
}

interface Held extends Joined {
  text: string;
  line: Line;
  broken: number;
  wrapped: number;
  announced: readonly number[];
  /** strace spoke: whatever comes next goes on with it. */
  waits: boolean;
}

/** Lines, and characters, that one line is made of at most. */
const MOST_LINES = 64;
const MOST_LENGTH = 65_536;

const SPOKEN = /(?:strace: )?Process (\d{1,10}) (attached|suspended|resumed|detached)(?: \(waiting for parent\))?$/;

/** A duration, or what a wrap has left of it. */
const TIMED = /(?: <\d{1,9}\.\d{1,9}|^[ <\d.]{0,12}\d)>$/;

const NOBODY: readonly number[] = [];

export function createJoiner(): Joiner {
  let held: Held | null = null;
  /** Calls have durations: one without is not over. */
  let isTimed = false;

  const release = (): Joined | null => {
    if (held === null) return null;
    const released = held;
    held = null;
    return released;
  };

  return {
    add(text, number) {
      isTimed ||= text.endsWith(">") && TIMED.test(text);
      const spoken = brokenOff(text, held);
      const own = spoken === null ? text : text.slice(0, spoken.index);
      if (held?.waits && held.text.length < MOST_LENGTH) {
        held.text += own;
        held.line = parseLine(held.text);
        held.waits = false;
      } else {
        const line = parseLine(own);
        if (held !== null && goesOn(held, line, own, isTimed)) {
          if (spoken) hear(held, spoken);
          return null;
        }
        const before = release();
        held = { text: own, line, number, broken: 0, wrapped: 0, announced: NOBODY, waits: false };
        if (spoken) hear(held, spoken);
        return before;
      }
      if (spoken) hear(held, spoken);
      return null;
    },
    flush: release,
  };
}

function hear(held: Held, [, pid, what]: RegExpExecArray): void {
  held.waits = true;
  held.broken += 1;
  if (what === "attached") held.announced = [...held.announced, Number(pid)];
}

/** A call's line that breaks off with strace's own words, or the end of one that a terminal has wrapped; null for others. */
function brokenOff(text: string, held: Held | null): RegExpExecArray | null {
  if (!text.endsWith("ed") && !text.endsWith("parent)")) return null;
  const spoken = SPOKEN.exec(text);
  if (!spoken || spoken.index === 0) return null;
  const isOpen = held?.line.content.form === "other" && /[\w>]\(/.test(held.text);
  return isOpen || text.slice(0, spoken.index).includes("(") ? spoken : null;
}

/** Takes a line that has no time of its own into the one before, when that makes sense of both. */
function goesOn(held: Held, line: Line, text: string, isTimed: boolean): boolean {
  if (line.stamp !== null || held.line.stamp === null || held.wrapped >= MOST_LINES || held.text.length + text.length > MOST_LENGTH)
    return false;
  // A time alone is the begin of a line that was too long to stand behind it.
  const { form } = held.line.content;
  const open = form === "other" || form === "empty";
  if (line.content.form === "empty" || (line.content.form !== "other" && !open)) return false;
  if (!open && isWhole(held.line, held.text, isTimed)) return false;
  // A wrap may have cost the space it came at, and an editor indents what goes on.
  const inset = text.trimStart();
  let vague: { readonly whole: string; readonly parsed: Line } | null = null;
  for (const next of inset === text ? [text, ` ${text}`] : [` ${inset}`, text]) {
    const whole = held.text + next;
    const parsed = parseLine(whole);
    if (parsed.content.form === "other" || (!open && !isWhole(parsed, whole, isTimed))) continue;
    if (!isVague(parsed)) {
      take(held, whole, parsed);
      return true;
    }
    vague ??= { whole, parsed };
  }
  if (vague !== null) {
    take(held, vague.whole, vague.parsed);
    return true;
  }
  if (!open || line.content.form !== "other" || !(form === "empty" || /[\w>]\(|--- SIG\w+ \{/.test(held.text))) return false;
  const joined = inset === text && form !== "empty" ? held.text + text : `${held.text} ${inset}`;
  take(held, joined, parseLine(joined));
  return true;
}

function take(held: Held, text: string, line: Line): void {
  held.text = text;
  held.line = line;
  held.wrapped += 1;
}

/** strace says which error, and why there is no result: without the space before it, it does not. */
function isVague({ content }: Line): boolean {
  if (content.form !== "call" && content.form !== "end") return false;
  const { value, restart } = content.result;
  return value === -1 || (value === null && restart === "");
}

/** Nothing is missing at its end: a duration where calls have one, the words on an error, the reason why there is no result. */
function isWhole({ content }: Line, text: string, isTimed: boolean): boolean {
  if (content.form !== "call" && content.form !== "end") return true;
  const { duration, value, restart } = content.result;
  if (duration !== null) return true;
  if (isTimed || (value === null && restart === "")) return false;
  return !/\([^()]*$|^-1(?: E[A-Z0-9]*)?$/.test(text.slice(text.lastIndexOf(" = ") + 3));
}
