/** Files that people have in the place of one that eintr reads: what each is, and what to do instead. */

import type { Importer } from "./importer.ts";
import { formOf } from "./text/form.ts";
import { isOfLtrace } from "./text/ltrace.ts";

interface Other {
  /** What it is, with its article. */
  readonly text: string;
  readonly instead: string;
  /** Does the file begin so? `lines`: its first, with what they carry around taken off. */
  is(lines: readonly string[], start: Uint8Array): boolean;
}

const STRACE = "strace -f -ttt -T -o FILE PROGRAM";

const most = (lines: readonly string[], line: RegExp): boolean => {
  const written = lines.filter((one) => one.trim() !== "");
  return written.length > 0 && 2 * written.filter((one) => line.test(one)).length > written.length;
};
const begins = (start: Uint8Array, text: string, at = 0): boolean =>
  Buffer.from(start.subarray(at, at + text.length)).toString("latin1") === text;

const OTHERS: readonly Other[] = [
  {
    text: "an ltrace log: calls of libraries, not of the kernel",
    instead: `record with: ${STRACE}`,
    is: (lines) => lines.some(isOfLtrace),
  },
  {
    text: "a log of sysdig or Falco",
    instead: `its signals have no place in a call; record with: ${STRACE}`,
    is: (lines) => most(lines, /^\d+ \d\d:\d\d:\d\d\.\d{3,9} \d+ \S+ \(\d+(?:\.\d+)?\) [<>] \w+/),
  },
  {
    text: "a log of perf trace, which tells of no signal",
    instead: `record with: perf record -e 'signal:*,raw_syscalls:*' -a, then perf script; or ${STRACE}`,
    is: (lines) => most(lines, /^ *\d+\.\d{3} \( *(?:\d+\.\d{3} ms|[?]*) *\): \S+\/\d+ /),
  },
  {
    text: "the text of perf script without the thread that each event is of",
    instead: "write it with: perf script -F comm,tid,time,event,trace > FILE",
    is: (lines) => most(lines, /^\s*(?:\d+\.\d{6,9}:\s+)?[\w-]+:[\w-]+: /),
  },
  {
    text: "ftrace's text of functions, not of events",
    instead: "record with: trace-cmd record -e signal -e raw_syscalls PROGRAM, then trace-cmd report > FILE",
    is: (lines) => lines.some((line) => /^# tracer: function/.test(line)),
  },
  {
    text: "perf's own recording",
    instead: "write it as text: perf script -i FILE > FILE.txt",
    is: (_, start) => begins(start, "PERFILE2"),
  },
  {
    text: "trace-cmd's own recording",
    instead: "write it as text: trace-cmd report FILE > FILE.txt",
    is: (_, start) => begins(start, "\x17\x08Dtracing"),
  },
  {
    text: "a program",
    instead: "run it: eintr record -- ./PROGRAM",
    is: (_, start) => begins(start, "\x7fELF"),
  },
  {
    text: "a script",
    instead: "run it: eintr record -- ./SCRIPT",
    is: (_, start) => begins(start, "#!"),
  },
  {
    text: "a log of DTrace's dtruss or of truss",
    instead: `it has no lines for signals; record on Linux with: ${STRACE}`,
    is: (lines) =>
      most(lines, /^(?:\d+\/0x[0-9a-f]+: +|\d+: +)?\w+\(.*\)(?:\t+ = -?\d+ (?:Err#)?\d*|\s+(?:= -?\d+ \(0x[0-9a-f]+\)|ERR#\d+ .*))$/),
  },
];

/** What a file that no importer reads is, in words that say what to do; null when it may be a scenario. */
export function whatElse(start: Uint8Array, importers: readonly Importer[]): string | null {
  if (start.length === 0) return "is empty; expected a scenario or a log";
  const whole = start.length < 32_768;
  const { first } = formOf(start, whole, () => false);
  const other = OTHERS.find(({ is }) => is(first, start));
  if (other) return `is ${other.text}; ${other.instead}`;
  if (mayBeScenario(start)) return null;
  const looked = `nothing that eintr reads. Looked for: a scenario (a YAML map with name, title and main)${importers.map(({ text }) => `, ${text}`).join("")}`;
  return `${looked}. ${nearest(start, whole, importers)}`;
}

/** Any text that has a field at the beginning of a line, or is one value of YAML or JSON: its errors are told by its place. */
const mayBeScenario = (start: Uint8Array): boolean => {
  const text = Buffer.from(start).toString("utf8");
  return /^\s*\{/.test(text) || /^["']?(?:name|title|about|main|programs|handlers|signals|limit|objects)["']?\s*:/m.test(text);
};

function nearest(start: Uint8Array, whole: boolean, importers: readonly Importer[]): string {
  const likely = importers
    .flatMap(({ text, knows }) => {
      if (knows === undefined) return [];
      const { first } = formOf(start, whole, knows);
      const written = first.filter((line) => line.trim() !== "");
      const known = written.filter(knows);
      return known.length > 0 ? [{ text, known: known.length, of: written.length }] : [];
    })
    .sort((a, b) => b.known - a.known)[0];
  return likely === undefined
    ? "No line of it is like one of those; expected is a file that one of these programs wrote"
    : `Nearest: ${likely.text}, as which ${likely.known} of the first ${likely.of} lines can be read`;
}
