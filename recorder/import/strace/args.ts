/** Reading the arguments of the few calls whose meaning matters: structures, sets of signals, times, flags. */

import { SIGNAL_COUNT, signalName, signalNumber } from "../../../engine/index.ts";

/** Longer argument lists are not taken apart: no call that matters has one. */
const MAX_LENGTH = 65_536;

const code = (character: string): number => character.charCodeAt(0);
const QUOTE = code('"');
const BACKSLASH = code("\\");
const COMMA = code(",");
/** What a character does to the depth of brackets. */
const DEEPER = new Int8Array(128);
for (const open of "([{") DEEPER[code(open)] = 1;
for (const close of ")]}") DEEPER[code(close)] = -1;

/** Split at the commas that are in no string and no bracket; each part trimmed. */
export function splitArgs(text: string): string[] {
  const parts: string[] = [];
  const end = Math.min(text.length, MAX_LENGTH);
  let depth = 0;
  let quoted = false;
  let start = 0;
  for (let i = 0; i < end; i += 1) {
    const char = text.charCodeAt(i);
    if (quoted) {
      if (char === BACKSLASH) i += 1;
      else if (char === QUOTE) quoted = false;
    } else if (char === QUOTE) quoted = true;
    else if (char === COMMA) {
      if (depth !== 0) continue;
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    } else if (char < 128) depth += DEEPER[char] as number;
  }
  const last = text.slice(start, end).trim();
  if (last !== "" || parts.length > 0) parts.push(last);
  return parts;
}

/** Value of a field in `{name=value, ...}`; empty when there is none. */
export function field(structure: string, name: string): string {
  if (!structure.startsWith("{")) return "";
  const found = splitArgs(structure.replace(/\}$/, "").slice(1)).find((part) => part.startsWith(`${name}=`));
  return found?.slice(name.length + 1) ?? "";
}

/** The whole number a text begins with ("3</dev/tty>", "-1"); null when it does not. */
export function wholeNumber(text: string | undefined): number | null {
  const match = /^(-?\d{1,15})(?![\w.])/.exec(text ?? "");
  return match ? Number(match[1]) : null;
}

/** "[INT TERM]", "~[RTMIN RT_1]", "[]" as numbers; null for NULL or what is not a set. */
export function signalSet(text: string | undefined): number[] | null {
  const match = /^(~?)\[([^\]]*)\]$/.exec(text ?? "");
  if (!match) return null;
  const listed = new Set((match[2] ?? "").split(/\s+/).map((name) => signalNumber(name)));
  const all = Array.from({ length: SIGNAL_COUNT }, (_, i) => i + 1);
  return all.filter((signal) => listed.has(signal) !== (match[1] === "~"));
}

/** As a scenario writes them. */
export const signalNames = (signals: readonly number[]): string[] => signals.map(signalName);

/** "{tv_sec=1, tv_nsec=500}" or "{tv_sec=1, tv_usec=5}" in ns; null for anything else. */
export function timeSpan(text: string | undefined): number | null {
  const seconds = wholeNumber(field(text ?? "", "tv_sec"));
  if (seconds === null || seconds < 0) return null;
  const ns = wholeNumber(field(text ?? "", "tv_nsec"));
  const us = wholeNumber(field(text ?? "", "tv_usec"));
  return bounded(seconds * 1e9 + (ns ?? (us ?? 0) * 1e3));
}

/** The longest time a scenario may name in numbers, ns. */
export const MAX_TIME = 1e15;

export const bounded = (ns: number): number => Math.max(0, Math.min(MAX_TIME, Math.round(ns)));

/** "CLONE_VM|CLONE_FS|SIGCHLD" as a list. */
export const flagsOf = (text: string): string[] => text.split("|").map((flag) => flag.trim());
