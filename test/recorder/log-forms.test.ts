/**
 * Logs as people have them (`fixtures/reports`: L* are one program's log in many forms, M* are single forms): what `eintr record` says of
 * each. The table is a golden: nothing may be misread in silence, and each refusal names the form and the command to run instead.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { looksLikeStrace, straceToScenario } from "../../recorder/import/strace/index.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const FOLDER = fileURLToPath(new URL("../fixtures/reports/", import.meta.url));
const GOLDEN = new URL("../golden/log-forms.txt", import.meta.url);
const FILES = readdirSync(FOLDER)
  .filter((name) => /^[LMC]\d\d.*\.(?!yaml)\w+$/.test(name))
  .sort();
const fresh = tempPaths();

/** A log that is kept as it is has no stack. */
const NATIVE = ["--stack", "native-linux"];

/** What record says, without what differs from run to run. */
async function said(name: string): Promise<{ code: number; lines: string[] }> {
  const dir = fresh(`${name}.trace`);
  const { code, talk } = await eintr(["record", `${FOLDER}${name}`, "-o", dir, ...(/\.(?:strace|gz)$/.test(name) ? NATIVE : [])]);
  const lines = talk
    .replaceAll(FOLDER, "")
    .replaceAll(dir, "TRACE")
    .split("\n")
    .filter((line) => line !== "" && !/^(?:digest|next:|this is Linux alone| +eintr record | *\^+$)/.test(line));
  return { code, lines };
}

describe("each form", () => {
  const rows = new Map<string, { code: number; lines: string[] }>();
  beforeAll(async () => {
    for (const name of FILES) rows.set(name, await said(name));
  }, 120_000);

  test("gives what the table says", () => {
    const text = [...rows].map(([name, { lines }]) => `${name}\n${lines.map((line) => `    ${line}\n`).join("")}`).join("");
    if (process.env.EINTR_UPDATE) writeFileSync(GOLDEN, text);
    expect(text).toBe(readFileSync(GOLDEN, "utf8"));
  });

  test("that is refused is so in one line, with what to do", () => {
    const refused = [...rows].filter(([, { code }]) => code === 2);
    expect(refused.length).toBeGreaterThan(5);
    for (const [name, { lines }] of refused) {
      expect(lines, name).toHaveLength(1);
      expect(lines[0], name).toMatch(/record with|record without|expected|perf script|eintr record/);
    }
  });
});

describe("the same log", () => {
  const scenario = (text: string): unknown => ({ ...straceToScenario(text, "log.strace").scenario, about: "" });
  const good = scenario(readFileSync(`${FOLDER}L00-good.strace`, "utf8"));

  /** Scenarios differ only where the form itself says less, or stands on other lines. */
  const SAME = ["L18-crlf", "L19-indented-paste", "L21-quoted", "L22-html-escaped", "L24-bom", "L27-numbered"];
  test.each(SAME)("in the form %s is the same scenario", (name) => {
    expect(scenario(readFileSync(`${FOLDER}${name}.strace`, "utf8"))).toEqual(good);
  });

  const text = readFileSync(`${FOLDER}L00-good.strace`, "utf8");
  const lines = text.trimEnd().split("\n");
  const each = (change: (line: string, i: number) => string): string => `${lines.map(change).join("\n")}\n`;
  test.each([
    ["quoted twice", each((line) => `> > ${line}`)],
    ["quoted and numbered", each((line, i) => `> ${String(i + 1).padStart(5)}\t${line}`)],
    ["numbered by grep -n", each((line, i) => `${i + 1}:${line}`)],
    ["from a journal", each((line) => `Nov 28 22:39:55 host strace[77]: ${line}`)],
    ["from a journal with ISO dates", each((line) => `2026-11-28T22:39:55+0000 host strace[77]: ${line}`)],
    ["from docker compose", each((line) => `web-1  | ${line}`)],
    ["from docker logs -t", each((line) => `2026-11-28T22:39:55.757056123Z ${line}`)],
    ["from kubectl logs --prefix", each((line) => `[pod/web-1/main] ${line}`)],
    ["from a node's log of a container", each((line) => `2026-11-28T22:39:55.757056123Z stderr F ${line}`)],
    ["from docker's own file", each((line) => JSON.stringify({ log: `${line}\n`, stream: "stderr", time: "2026-11-28T22:39:55Z" }))],
    ["from syslog", each((line) => `<14>1 2026-11-28T22:39:55Z host app 12 - - ${line}`)],
    ["from a chat", each((line) => `[22:39:55] ${line}`)],
    ["from grep -H", each((line, i) => `my-trace.log:${i + 1}:${line}`)],
    ["from a diff", each((line) => `+${line}`)],
    ["filled up by a terminal", each((line) => line.padEnd(300))],
    ["with a table's border", each((line) => `| ${line.padEnd(240)} |`)],
    ["as a table of Markdown", each((line, i) => `| ${i + 1} | \`${line.replaceAll("|", "\\|")}\` |`)],
    ["as CSV", each((line, i) => `${i + 1},"${line.replaceAll('"', '""')}"`)],
    ["as texts of JSON", each((line) => `  ${JSON.stringify(line)},`)],
    ["from journalctl -o json", each((line) => JSON.stringify({ PRIORITY: "6", MESSAGE: line }))],
    ["with the ends of lines of a Macintosh", each((line) => line).replaceAll("\n", "\r")],
    ["behind a host's name", each((line) => `web-01: ${line}`)],
    ["with names of programs, behind a host's", each((line) => `web-01: ${line.replace(/^\d+/, "$&<a.out>")}`)],
    ["behind a logger's words", each((line) => `2026-11-28 22:39:55,123 - INFO - ${line}`)],
    ["as a list", each((line) => `- \`${line}\``)],
    ["numbered with points", each((line, i) => `${i + 1}. ${line}`)],
    ["in tags of a page", each((line) => `<span class="l">${line.replaceAll("<", "&lt;").replaceAll(">", "&gt;")}</span><br/>`)],
    ["made pretty by an editor", each((line) => line.replaceAll("...", "\u2026").replaceAll("---", "\u2014"))],
    ["coloured, the escapes lost", each((line) => `[32m${line.replace(" ", "[0m ")}`)],
    ["with tabs of an editor", each((line) => `\t${line.replaceAll("  ", "\t")}`)],
    ["with the spaces of a page", each((line) => line.replaceAll(" ", "\u00a0"))],
    ["coloured", each((line) => `\u001b[2m${line.replace(/^\d+/, "\u001b[32m$&\u001b[0m")}`)],
    ["with decimal commas", each((line) => line.replace(/(\d{10})\.(\d{6}) /, "$1,$2 ").replace(/<(\d+)\.(\d+)>$/, "<$1,$2>"))],
    [
      "escaped for a page and indented",
      each((line) => `\t${line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")}`),
    ],
  ])("%s is the same scenario", (_, written) => {
    expect(scenario(written)).toEqual(good);
  });

  /** Continuation lines move the numbers of those after them. */
  const withoutLines = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (key, one) => (key === "line" ? undefined : one)));
  test.each([60, 80, 100, 132])("wrapped by a terminal of %d columns is the same", (columns) => {
    const wrapped = each((line) => line.match(new RegExp(`.{1,${columns}}`, "g"))?.join("\n") ?? "");
    expect(withoutLines(scenario(wrapped))).toEqual(withoutLines(good));
  });

  test("wrapped by a terminal where strace speaks in the middle of a call is the same", () => {
    const spoken = each((line) =>
      line.replace(
        /^(.*SIGCHLD)(, .*\) = )(\d+)( <.*)$/,
        (_, before, middle, pid, end) => `${before}strace: Process ${pid} attached\n${middle}${pid}${end}`,
      ),
    );
    expect(spoken).toContain("SIGCHLDstrace: Process");
    const wrapped = spoken.split("\n").map((line) => line.match(/.{1,80}/g)?.join("\n") ?? "");
    expect(withoutLines(scenario(wrapped.join("\n")))).toEqual(withoutLines(good));
  });

  test("from docker's own file with a line of megabytes is the same", () => {
    const long = JSON.stringify({ log: `${"x".repeat(20_000_000)}\n`, stream: "stderr" });
    const docker = each((line) => JSON.stringify({ log: `${line}\n`, stream: "stderr" }));
    expect(withoutLines(scenario(`${docker}${long}\n`))).toEqual(withoutLines(good));
  });

  test("wrapped by an editor that indents what goes on is the same", () => {
    const wrapped = each((line) => (line.match(/.{1,60}\S*(?: |$)/g) ?? [line]).map((part) => part.trimEnd()).join("\n    "));
    expect(wrapped).toContain("ERESTART");
    expect(withoutLines(scenario(wrapped))).toEqual(withoutLines(good));
  });

  test("with names behind numbers (-X verbose) is the same", () => {
    const verbose = each((line) => line.replace(/\b(?:SA|SIG|CLONE|MAP|PROT|O)_?[A-Z]\w*(?:\|[A-Z]\w+)*(?=[,)}])/g, "0x11 /* $& */"));
    expect(verbose).not.toBe(text);
    expect(scenario(verbose)).toEqual(good);
  });

  test("with numbers in place of names (-X raw), or in another order than that of time, is refused in words", () => {
    const raw = each((line) => line.replace(/rt_sigaction\(SIG\w+/, "rt_sigaction(17"));
    expect(() => scenario(raw)).toThrow(
      "log.strace:1: signals as numbers (-X raw, -e raw=...): what they are is not in the log; record with",
    );
    expect(() => scenario(`${lines.toReversed().join("\n")}\n`)).toThrow("the newest line comes first; turn it round with: tac FILE");
    expect(() => scenario(`${lines.toSorted().join("\n")}\n`)).toThrow("sorted by thread, not by time; sort it with: sort -s -k2,2 FILE");
  });

  test("with whole seconds since the epoch (--timestamps=unix) is read, with a word on it", () => {
    const whole = each((line) => line.replace(/(\d{10})\.\d{6}/, "$1"));
    const { counters } = straceToScenario(whole, "log.strace");
    expect(counters.map(({ name }) => name)).toContain("strace.note.coarse-times");
    expect(counters.map(({ name }) => name)).not.toContain("strace.foreign");
  });

  test("with times, or durations, in milliseconds or whole seconds is read, with a word on it", () => {
    const notes = (written: string): string[] => straceToScenario(written, "log.strace").counters.map(({ name }) => name);
    expect(notes(each((line) => line.replace(/(\d{10}\.\d{3})\d{3}/, "$1")))).toContain("strace.note.coarse-times");
    expect(notes(each((line) => line.replace(/<(\d+\.\d{3})\d{3}>$/, "<$1>")))).toContain("strace.note.coarse-durations");
    const whole = each((line) => line.replace(/<(\d+)\.\d+>$/, "<$1>"));
    expect(notes(whole)).toContain("strace.note.no-duration");
    // What ended a call stands before the duration.
    expect(JSON.stringify(scenario(whole))).not.toContain('"expect":null');
    expect(JSON.stringify(scenario(whole)).match(/"expect":-4/g)).toEqual(JSON.stringify(good).match(/"expect":-4/g));
  });

  test("from which somebody left lines out says so", () => {
    for (const word of ["...", "[... 12 lines omitted ...]", "<snip>"]) {
      const { counters } = straceToScenario([...lines.slice(0, 20), word, ...lines.slice(40)].join("\n"), "log.strace");
      expect(counters.find(({ name }) => name === "strace.elided")).toMatchObject({ count: 1, severity: "data-loss" });
    }
  });

  test("with bytes that were read and written (-e read, -e write) is the same", () => {
    const dumped = each((line) =>
      / write\(/.test(line) ? `${line}\n | 00000  68 65 6c 6c 6f 0a                                 hello.           |` : line,
    );
    expect(dumped).toContain("68 65");
    expect(withoutLines(scenario(dumped))).toEqual(withoutLines(good));
  });

  test("with structures as addresses (-e verbose=none) is refused in words", () => {
    const addresses = each((line) => line.replace(/(rt_sigaction\(SIG\w+), \{.*?\}/, "$1, 0x7ffc62"));
    expect(() => scenario(addresses)).toThrow("structures as addresses (-e verbose=none): which handlers there are is not in the log");
  });

  test("without the ends of its calls says so", () => {
    const { counters } = straceToScenario(lines.filter((line) => !line.includes("resumed>")).join("\n"), "log.strace");
    expect(counters.find(({ name }) => name === "strace.note.never-resumed")?.severity).toBe("data-loss");
    expect(straceToScenario(text, "log.strace").counters.map(({ name }) => name)).not.toContain("strace.note.never-resumed");
  });

  test("in which somebody has named the threads is no log: the names are no prefix of all lines", () => {
    const named = lines.map((line) => line.replace(/^\d+/, (id) => `THREAD${id.at(-1)}`));
    const other = named.findIndex((line) => !line.startsWith((named[0] ?? "").slice(0, 7)));
    expect(looksLikeStrace(named.slice(other - 20, other + 20).join("\n"))).toBe(false);
    // Where the first lines are of one thread, what the others did is not taken for its.
    const one = named.filter((line) => line.startsWith((named[0] ?? "").slice(0, 7)));
    const { counters } = straceToScenario([...one, ...one, ...named].join("\n"), "log.strace");
    expect(one.length).toBeGreaterThan(30);
    expect(counters.find(({ name }) => name === "strace.foreign")?.count).toBe(named.length - one.length);
  });

  test("as one text of JSON is no log", () => expect(looksLikeStrace(JSON.stringify(text))).toBe(false));

  test("wrapped at words, quoted by a mailer, is the same", () => {
    const wrapped = each((line) => (line.match(/.{1,68}\S*(?: |$)/g) ?? [line]).map((part) => `> ${part.trimEnd()}`).join("\n"));
    expect(withoutLines(scenario(wrapped))).toEqual(withoutLines(good));
  });

  test("beside that of another program (-A) says that there are two", () => {
    const other = each((line) => line.replace(/\d{4,5}/g, (n) => String(Number(n) + 40_000)));
    const { counters } = straceToScenario(`${text}${other}`, "log.strace");
    expect(counters.find(({ name }) => name === "strace.note.several-programs")?.count).toBe(1);
  });

  test("in UTF-16, in gzip, from standard input, in both", async () => {
    const file = fresh("both.gz");
    writeFileSync(file, gzipSync(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")])));
    const digest = ({ talk }: { talk: string }): string | undefined => /digest (\w+)/.exec(talk)?.[1];
    const plain = await eintr(["record", `${FOLDER}L00-good.strace`, "-o", fresh("a.trace")]);
    expect(digest(plain)).toBeDefined();
    for (const one of [file, `${FOLDER}L23-utf16.strace`, `${FOLDER}L25-gz.strace.gz`])
      expect(digest(await eintr(["record", one, "-o", fresh("b.trace")]))).toBe(digest(plain));
  });

  test("as files of -ff is the same as strace-log-merge makes it", async () => {
    const folder = fresh("ff");
    mkdirSync(folder);
    const byThread = new Map<string, string[]>();
    for (const line of joinCalls(lines)) {
      const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
      byThread.set(pid, [...(byThread.get(pid) ?? []), `${rest}\n`]);
    }
    for (const [pid, own] of byThread) writeFileSync(`${folder}/p.strace.${pid}`, own.join(""));
    const merged = scenario(`${joinCalls(lines).join("\n")}\n`);
    for (const named of [folder, `${folder}/p.strace`]) {
      const dir = fresh("ff.trace");
      const { talk, code } = await eintr(["record", named, "-o", dir, "--stack", "native-linux"]);
      expect([code, talk]).toEqual([0, expect.stringContaining("main exits with status 0; 2 processes in all")]);
    }
    expect((merged as { main: unknown[] }).main.length).toBe((good as { main: unknown[] }).main.length);
  });
});

/** Without other threads' lines between them, strace -ff writes each call whole. */
function joinCalls(lines: readonly string[]): string[] {
  const open = new Map<string, number>();
  const out: string[] = [];
  for (const line of lines) {
    const pid = /^\d+/.exec(line)?.[0] ?? "";
    const resumed = /<\.\.\. \w+ resumed>(.*)$/.exec(line);
    const at = open.get(pid);
    if (resumed && at !== undefined) out[at] = `${out[at]?.replace(/ ?<unfinished \.\.\.>$/, "")}${resumed[1]}`;
    else {
      if (line.endsWith("<unfinished ...>")) open.set(pid, out.length);
      out.push(line);
    }
  }
  return out;
}

test("a broken gzip file is refused with the place to look", async () => {
  const whole = readFileSync(`${FOLDER}L25-gz.strace.gz`);
  const file = fresh("cut.strace.gz");
  writeFileSync(file, whole.subarray(0, whole.length >> 1));
  expect(gunzipSync(whole).length).toBeGreaterThan(8000);
  const { talk, code } = await eintr(["record", file, "-o", fresh("cut.trace")]);
  expect([code, talk]).toEqual([
    2,
    expect.stringMatching(/its gzip data is cut off or broken \(Z_BUF_ERROR\); .*gzip -dc .* \| eintr record -/),
  ]);
});

test.each([
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ["bzip2", [0x42, 0x5a, 0x68, 0x39]],
])("what is packed with %s is refused with the command that unpacks it", async (packing, bytes) => {
  const file = fresh(`a.${packing}`);
  writeFileSync(file, Buffer.from(bytes));
  const { talk, code } = await eintr(["record", file, "-o", fresh("a.trace")]);
  expect([code, talk]).toEqual([2, expect.stringMatching(new RegExp(`packed with ${packing}, .*${packing} -dc .* \\| eintr record -`))]);
});
