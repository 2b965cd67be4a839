/** Mouse reports of the terminal (SGR form) as what they mean. */

export interface MouseEvent {
  readonly what: "press" | "drag" | "release" | "wheel-up" | "wheel-down" | "other";
  /** From 0. */
  readonly column: number;
  readonly line: number;
}

const REPORT = /^\u001b\[<(\d{1,4});(\d{1,5});(\d{1,5})([Mm])$/;
/** Shift, Alt, Ctrl. */
const MODIFIERS = 4 | 8 | 16;
const MOVED = 32;
const WHEEL = 64;

/** Null when the input is no mouse report. */
export function mouseEvent(input: string): MouseEvent | null {
  const match = REPORT.exec(input);
  if (match === null) return null;
  const button = Number(match[1]) & ~MODIFIERS;
  return { what: meaning(button, match[4] === "m"), column: Number(match[2]) - 1, line: Number(match[3]) - 1 };
}

function meaning(button: number, isUp: boolean): MouseEvent["what"] {
  if (button === WHEEL) return "wheel-up";
  if (button === WHEEL + 1) return "wheel-down";
  // Wheels to the side, buttons that only some mice have.
  if (button > WHEEL) return "other";
  if (isUp) return "release";
  return (button & MOVED) !== 0 ? "drag" : "press";
}
