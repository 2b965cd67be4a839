/** The switches of the engine as a list: fixes, and options of a manifest. */

import { FIXES, OPTIONS, type StackName, type SwitchName, stacksKnowing } from "../../engine/index.ts";
import type { Paint } from "./style.ts";
import { wrapCells } from "./two-column.ts";

export interface ListedSwitch {
  readonly id: SwitchName;
  readonly is: "fix" | "option";
  /** What it does. */
  readonly text: string;
  /** Where that is read: a section of the reference, a commit. */
  readonly source: string;
  readonly stacks: readonly StackName[];
}

/** Those that `stack` knows; all of them without one. */
export function switchesOf(stack: StackName | null): ListedSwitch[] {
  const all = [
    ...Object.entries(FIXES).map(([id, one]) => ({ id: id as SwitchName, is: "fix" as const, ...one })),
    ...Object.entries(OPTIONS).map(([id, one]) => ({ id: id as SwitchName, is: "option" as const, ...one })),
  ];
  return all
    .map(({ id, is, text, source }) => ({ id, is, text, source, stacks: stacksKnowing(id) }))
    .filter(({ stacks }) => stack === null || stacks.includes(stack));
}

const HEADS = { fix: "Fixes (--fix ID)", option: "Options of a manifest (--option NAME)" } as const;

/** `columns`: how wide a line may be. */
export function switchesText(switches: readonly ListedSwitch[], { strong, dim }: Paint, columns: number): string {
  const part = (is: ListedSwitch["is"]): string[] => {
    const some = switches.filter((one) => one.is === is);
    if (some.length === 0) return [];
    return [`${strong(HEADS[is])}\n${some.map((one) => switchText(one, dim, columns)).join("")}`];
  };
  const parts = [...part("fix"), ...part("option")];
  return parts.length === 0 ? "it has no switches\n" : parts.join("\n");
}

function switchText({ id, text, source, stacks }: ListedSwitch, dim: Paint["dim"], columns: number): string {
  const indented = (words: string): string[] => wrapCells(words, columns - 6).map((line) => `      ${line}`);
  const where = `${stacks.length === 0 ? "no stack has it yet" : stacks.join(", ")} (${source})`;
  return [`  ${id}`, ...indented(text), ...indented(where).map(dim)].map((line) => `${line}\n`).join("");
}
