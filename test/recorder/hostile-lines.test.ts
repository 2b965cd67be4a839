/** Lines that a stranger has made long: no regular expression that looks at them may go back over them again and again. */

import { expect, test } from "vitest";
import { gvisorLine } from "../../recorder/import/events/line.ts";
import { parseLine } from "../../recorder/import/strace/lines.ts";
import { WRAPS } from "../../recorder/import/text/wraps.ts";

/** As much as the form of a file is known by. */
const LENGTH = 60_000;
/** Of the processor: lines take some milliseconds, and going back over so many characters takes seconds. */
const MOST_MS = 1000;
const cpuMs = (): number => process.cpuUsage().user / 1000;

const HEADS = [
  ...[
    "",
    "1 1700000000.1 ",
    "1 1.1 x(",
    '1 1.1 write(1, "',
    "1 1.1 x(1 /* A",
    "1 1.1 x(1 /* A|",
    '{"log":"',
    "<14>1 2026-11-28T22:39:55Z ",
  ],
  ...[
    "<14>1 2026-11-28T22:39:55Z h a 1 - [",
    "[pod/",
    "[pod/a/",
    "2026-11-28T22:39:55Z stderr F ",
    "+",
    "> ",
    "a:",
    "I1128 1:1:1.1 1 s.go:1] ",
  ],
];
const REPEATED = [
  ...[
    " ",
    "\t",
    "\u00a0",
    "a",
    "0",
    "-",
    ":",
    "-1",
    ":1-",
    "1 /* A",
    "1 /* A|",
    "|A",
    "[",
    "(",
    "\\",
    '"',
    '\\"',
    "> ",
    ">",
    "&lt;",
    "&lt;1",
  ],
  ...[
    "1.",
    "[pid 1] ",
    "[0] ",
    "(+ 1.1) ",
    "<",
    "a=",
    "{",
    "[{",
    "0x",
    ",",
    ", ",
    "= ",
    " = ",
    "a b",
    "/",
    ".",
    "_",
    "a(",
    "\u001b[",
    "\u001b]a",
  ],
];

const READERS: Readonly<Record<string, (line: string) => unknown>> = {
  "a line of strace": parseLine,
  "a line of gvisor": gvisorLine,
  ...Object.fromEntries(
    WRAPS.map(({ name, find }) => [
      `the wrap ${name}`,
      (line: string) => {
        find([line], () => false)?.(line);
        find([line], (bare) => bare !== line)?.(line);
      },
    ]),
  ),
};

test.each(Object.entries(READERS))("%s is looked at in no time", (_, read) => {
  for (const head of HEADS)
    for (const repeated of REPEATED)
      for (const end of ["", "x", ")"]) {
        const line = head + repeated.repeat(LENGTH / repeated.length) + end;
        const begun = cpuMs();
        read(line);
        expect(cpuMs() - begun, JSON.stringify([head, repeated, end])).toBeLessThan(MOST_MS);
      }
});
