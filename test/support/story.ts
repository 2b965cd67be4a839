/** A run told as a program's author would: each call with its result, time and outputs, the handlers that ran in it and what they read. */

import { resultText, signalName } from "../../engine/index.ts";
import type { Ran, Row } from "./run-scenario.ts";

const CODES: Readonly<Record<number, string>> = { 0: "SI_USER", 128: "SI_KERNEL", [-6]: "SI_TKILL", [-1]: "SI_QUEUE" };
const FIELDS: readonly string[] = ["", "status", "addr", "value"];

const signals = (low: number, high: number): string =>
  `[${Array.from({ length: 64 }, (_, i) => i)
    .filter((i) => (i < 32 ? low : high) & (1 << (i % 32)))
    .map((i) => signalName(i + 1).replace("SIG", ""))
    .join(" ")}]`;

/** "n ms", rounded as the programs do: to hundreds. */
const ms = (ns: number): string => `${Math.round(ns / 1e8) * 100} ms`;

const ACTIONS: readonly string[] = ["default", "ignore"];

function output({ value, extra }: Row, low: number): string {
  switch (extra) {
    case 1:
      return (value & 0x7f) === 0 ? `exit ${value >> 8}` : `killed by ${signalName(value & 0x7f)}`;
    case 2:
      return `rem ${ms(value)}`;
    case 4:
      return `old ${signals(low, value)}`;
    case 6:
      return `pending ${signals(low, value)}`;
    case 7:
      return `left ${ms(value)}`;
    case 8:
      return `interval ${ms(value)}`;
    case 9:
      return `was ${ACTIONS[value] ?? "handler"}`;
    case 13:
      return `stack of ${value}`;
    case 14:
      return `flags ${value}`;
    default:
      return "";
  }
}

interface Open {
  readonly name: string;
  readonly at: number;
  readonly happened: string[];
}

/**
 * What a thread went through. A call: "NAME RESULT after N ms, outputs, handlers that ran in it" (no time when it is below 50 ms); a child's
 * id as its name. A handler: "SIGNAL CODE from SENDER, field, blocked [..]", and the calls it made in braces.
 */
export function story(ran: Ran, who = "main"): string[] {
  const process = (pid: number): string => ran.threads.find((t) => t.pid === pid && t.tid === pid)?.name ?? `${pid}`;
  const top: string[] = [];
  const lists: string[][] = [top];
  const calls: (Open | null)[] = [null];
  let low = 0;
  let info = "";
  const leave = (how: string): void => {
    const [text, ...inner] = lists.pop() ?? [];
    calls.pop();
    const told = inner.length > 0 ? `${text} {${inner.join("; ")}${how}}` : `${text}${how}`;
    const outer = calls.at(-1);
    (outer ? outer.happened : (lists.at(-1) ?? top)).push(told);
  };
  for (const row of ran.rows) {
    if (row.who !== who) continue;
    const list = lists.at(-1) as string[];
    const open = calls.at(-1) ?? null;
    switch (row.what) {
      case "app.call": {
        const name = row.place.label.split("(")[0] ?? "";
        // That siglongjmp puts the mask back by a call is no story.
        calls[calls.length - 1] = name.startsWith("siglongjmp") ? null : { name, at: row.time, happened: [] };
        break;
      }
      case "app.output":
        if (row.extra !== 3 && row.extra !== 5) open?.happened.push(output(row, low));
        low = row.value;
        break;
      case "app.return": {
        if (!open) break;
        const after = row.time - open.at;
        const child = ["wait4", "fork"].includes(open.name) && row.value > 0;
        const result = child ? process(row.value) : resultText(row.value);
        list.push([`${open.name} ${result}${after >= 5e7 ? ` after ${ms(after)}` : ""}`, ...open.happened].filter(Boolean).join(", "));
        calls[calls.length - 1] = null;
        break;
      }
      case "app.handler.enter":
        lists.push([]);
        calls.push(null);
        break;
      case "app.siginfo":
        info = `${signalName(row.signal)} ${CODES[row.value] ?? `code ${row.value}`}${row.extra > 0 ? ` from ${process(row.extra)}` : ""}`;
        break;
      case "app.siginfo.more":
        if (row.extra > 0) info += ` ${FIELDS[row.extra]} ${row.value}`;
        break;
      case "app.mask":
        list.unshift(`${info} blocked ${signals(row.value, row.extra)}`);
        break;
      case "app.handler.return":
      case "app.handler.longjmp":
        leave("");
        break;
      case "process.exit":
        list.push(row.value < 0 ? `killed by ${signalName(-row.value)}` : `exit ${row.value}`);
        break;
      default:
    }
  }
  while (lists.length > 1) {
    leave(" and never left");
    const open = calls.at(-1);
    if (open && open.happened.length > 0) (lists.at(-1) ?? top).push([`${open.name} never returns`, ...open.happened].join(", "));
    calls[calls.length - 1] = null;
  }
  return top;
}
