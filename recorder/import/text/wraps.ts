/**
 * What a log carries when it comes by mail, from an issue, a terminal or a journal: each wrap knows by the first lines whether it is
 * there, and takes itself off line by line. A line stays one line, so that its number is the file's.
 */

import { before, behind, csv, list, objects } from "./tables.ts";
import { aroundKnown, MOST, prefixed, share, type Wrap } from "./wrap.ts";

export type { Knows } from "./wrap.ts";

/** Colours and the like; titles and marks of a terminal's or a builder's own (OSC, APC, DCS). */
const ESCAPES = /\x1b(?:\[[0-?]{0,30}[ -/]{0,5}[@-~]|[\]_P^][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|[@-Z\\-_])/g;

const colours: Wrap = {
  name: "colours",
  find: (lines) => (lines.some((line) => /\x1b[[\]_]/.test(line)) ? (line) => line.replace(ESCAPES, "") : null),
};

/** Colours whose first character was lost on the way. */
const LOST_COLOUR = /\[(?:\d{1,3}(?:;\d{1,3}){0,4})?[mK]/g;
const lostColours: Wrap = {
  name: "lost-colours",
  find: (lines) =>
    share(lines, (line) => /\[[1-9][\d;]{0,15}m/.test(line) && /\[0?m/.test(line)) > MOST ? (line) => line.replace(LOST_COLOUR, "") : null,
};

/** What editors of texts make of three points and of hyphens. Quotes may be what they are: no number stands behind them. */
const PRETTY: Readonly<Record<string, string>> = { "\u2026": "...", "\u2014": "---", "\u2013": "--", "\u201c": '"', "\u201d": '"' };
const pretty: Wrap = {
  name: "pretty",
  find: (lines) =>
    lines.some((line) => /<(?:\u2026 \w+ resumed|unfinished \u2026)>|^[\d.: ]*[\u2013\u2014]{1,2}-? ?SIG\w+ \{/.test(line))
      ? (line) =>
          line.replace(/[\u2013\u2014]{1,2}-?(?= ?SIG\w+ \{|$)|[\u2026\u2013\u2014\u201c\u201d]/g, (text) =>
            /^.?[\u2013\u2014]/.test(text) && text.length > 1 ? "---" : (PRETTY[text] ?? text),
          )
      : null,
};

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'", nbsp: " " };
const ENTITY = /&(?:(lt|gt|amp|quot|apos|nbsp)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g;

const unescaped = (line: string): string =>
  line.replace(ENTITY, (all, name?: string, decimal?: string, hex?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    return code > 31 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });

/** Tags of a page around the log's own texts, whose brackets are entities. */
const TAG = /<\/?(?:br|span|div|p|li|code|pre|td|tr|a|b|i|font)(?: [^<>]{0,200})?\/?>/gi;

/** A program may write entities: only those that stand where the log's own brackets do tell. */
const html: Wrap = {
  name: "html",
  find: (lines) =>
    lines.some((line) => /&lt;(?:\d+[.,]\d+|\.{3} \w+ resumed|unfinished \.{3})(?:&gt;|>)/.test(line))
      ? (line) => unescaped(line.replace(TAG, ""))
      : null,
};

/** A code fence of Markdown, or a `<pre>` of a page, around the lines. */
const FENCE =
  /^\s*(?:(?:```|~~~|<\/?(?:pre|code)>)[\w-]{0,20}|\[\/?code\]|\{(?:code|noformat)(?::\w+)?\}|#\+(?:begin|end)_\w+|##\[(?:end)?group\].{0,80})\s*$/;
const fence: Wrap = {
  name: "fence",
  find: (lines) => (lines.some((line) => FENCE.test(line)) ? (line) => (FENCE.test(line) ? "" : line) : null),
};

const NUMBER = /^\s*(\d{1,9})(?:\t|[:|] ?| {1,3})/;

/** The n-th line begins with n, or with n and some more than that. */
const numbered: Wrap = {
  name: "numbered",
  find(lines) {
    const numbers = lines.filter((line) => line.trim() !== "").map((line) => Number(NUMBER.exec(line)?.[1] ?? Number.NaN));
    const follow = numbers.filter((number, i) => number === (numbers[i - 1] ?? Number.NaN) + 1).length;
    return numbers.length > 3 && follow >= MOST * (numbers.length - 1) ? (line) => line.replace(NUMBER, "") : null;
  },
};

/** `Nov 28 22:39:55 host unit[12]: ` of journalctl and syslog, and the same with a date of ISO 8601. */
const JOURNAL =
  /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{4}-\d\d-\d\dT[\d:.,+Z-]{8,24}) [\w.-]{1,64} [^\s:[\]]{1,64}(?:\[\d{1,10}\])?: /;
const journal = prefixed("journal", JOURNAL);
/** `web-1  | ` of docker compose. */
const compose = prefixed("compose", /^[\w.-]{1,64} +\| /);
/** `2026-11-28T22:39:55.757056Z ` of docker logs -t and kubectl. */
const dated = prefixed("dated", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d) /);

/** `[pod/web-1/main] ` of kubectl logs --prefix. */
const pod = aroundKnown("pod", /^\[pod\/[\w.-]{1,253}\/[\w.-]{1,63}\] /);
/** `2026-11-28T22:39:55.757056Z stderr F ` of a container's log on its node. */
const container = prefixed("container", /^\d{4}-\d\d-\d\dT[\d:.,+Z-]{8,24} (?:stdout|stderr) [FP] /);
/** `<14>1 2026-11-28T22:39:55Z host app 12 - - ` of syslog (RFC 5424). */
const syslog = prefixed("syslog", /^<\d{1,3}>1 \d{4}-\d\d-\d\dT\S{8,24} \S{1,255} \S{1,48} \S{1,128} \S{1,32} (?:-|\[[^\]]*\]) /);
/** `[12:34:56] ` of a chat or of a log that puts a time of its own before. */
const bracketed = aroundKnown("bracketed", /^\[(?:\d{4}-\d\d-\d\d[ T])?\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?\] /);
/** `trace.log:12:` of grep with a file's name, `trace.log-12-` of the lines around. */
const grepped = aroundKnown("grepped", /^(?![\d[<])[^\s:]{1,255}[:-]\d{1,9}[:-](?=\S)/);
/** `+` of a diff that adds the log. */
const added = aroundKnown("added", /^\+(?=\d|\[pid )/);

/** What pages and editors put in the place of spaces, and terminals behind a line: the log's programs write neither. */
const ODD_SPACES = /[\t\u00a0\u2007\u202f]/g;
const spaces: Wrap = {
  name: "spaces",
  find: (lines, knows) => (lines.some((line) => !knows(line.trimStart()) && knows(evenSpaces(line).trimStart())) ? evenSpaces : null),
};
const evenSpaces = (line: string): string => line.replace(ODD_SPACES, " ").trimEnd();

/** Share of the lines that a terminal has filled up with spaces, or a table with a border. */
const FILLED = 0.3;
const filled: Wrap = {
  name: "filled",
  find: (lines) => (share(lines, (line) => line.endsWith("  ")) > FILLED ? (line) => line.trimEnd() : null),
};

const QUOTE = /^(?:> ?)+/;
const INSET_QUOTE = /^\s+(?:> ?)+/;
/** `> ` of a mail or an issue. The frames of strace -k have a space before it, but no log begins with one. */
const quoted: Wrap = {
  name: "quoted",
  find(lines) {
    if (share(lines, (line) => QUOTE.test(line)) > MOST) return (line) => line.replace(QUOTE, "");
    return share(lines, (line) => INSET_QUOTE.test(line)) === 1 ? (line) => line.replace(INSET_QUOTE, "") : null;
  },
};

/** As much white space as the least indented line of the log's has. */
const indented: Wrap = {
  name: "indented",
  find(lines, knows) {
    const own = lines.filter((line) => knows(line.trimStart()));
    const least = Math.min(...own.map((line) => line.length - line.trimStart().length));
    if (own.length === 0 || least === 0) return null;
    const most = new RegExp(`^\\s{1,${least}}`);
    return (line) => line.replace(most, "");
  },
};

/** The point of times is a comma in many languages. */
const COMMA_TIME = /^((?:\[pid +\d{1,10}\] +|\d{1,10} +)?(?:\d{1,2}:\d\d:\d\d|\d{1,12})),(\d{3,9}) /;
const COMMA_DURATION = /<(\d{1,9}),(\d{1,9})>$/;
const commas: Wrap = {
  name: "commas",
  find: (lines) =>
    share(lines, (line) => COMMA_TIME.test(line)) > MOST
      ? (line) => line.replace(COMMA_TIME, "$1.$2 ").replace(COMMA_DURATION, "<$1.$2>")
      : null,
};

/** In the order in which they are looked for; what is around comes off first. */
export const WRAPS: readonly Wrap[] = [
  ...[
    colours,
    lostColours,
    html,
    fence,
    objects,
    csv,
    list,
    filled,
    quoted,
    journal,
    syslog,
    container,
    pod,
    compose,
    dated,
    bracketed,
    grepped,
    added,
    numbered,
  ],
  ...[behind, indented, spaces, before, pretty, commas],
];
