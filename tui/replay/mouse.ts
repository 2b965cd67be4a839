/** Mouse reports of the terminal (SGR form) as what they mean. */

export interface MouseEvent {
  readonly what: "press" | "drag" | "release" | "wheel-up" | "wheel-down";
  /** From 0. */
  readonly column: number;
  readonly line: number;
}

const REPORT = /^(?:\u001b)?\[<(\d{1,4});(\d{1,5});(\d{1,5})([Mm])$/;

/** Null when the input is no mouse report. */
export function mouseEvent(input: string): MouseEvent | null {
  const match = REPORT.exec(input);
  if (match === null) return null;
  const button = Number(match[1]);
  const at = { column: Number(match[2]) - 1, line: Number(match[3]) - 1 };
  if (button === 64) return { what: "wheel-up", ...at };
  if (button === 65) return { what: "wheel-down", ...at };
  if (match[4] === "m") return { what: "release", ...at };
  return { what: (button & 32) !== 0 ? "drag" : "press", ...at };
}
