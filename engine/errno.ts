/** Error numbers used by emulated calls, negative as the kernel returns them. Names for people. */

export const E = {
  PERM: -1,
  NOENT: -2,
  SRCH: -3,
  INTR: -4,
  BADF: -9,
  CHILD: -10,
  AGAIN: -11,
  NOMEM: -12,
  ACCES: -13,
  FAULT: -14,
  INVAL: -22,
  PIPE: -32,
  NOSYS: -38,
  CONNRESET: -104,
  TIMEDOUT: -110,
  /** Kernel-internal: restart the call if the handler has SA_RESTART. Never seen by a program. */
  RESTARTSYS: -512,
} as const;

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(E).map(([name, number]) => [number, name === "RESTARTSYS" ? "ERESTARTSYS" : `E${name}`]),
);

/** "-EINTR" for -4, "-errno 77" for an unknown one, the plain number otherwise. */
export function resultText(result: number): string {
  if (result >= 0 || result < -4095) return String(result);
  return NAMES[result] ? `-${NAMES[result]}` : `-errno ${-result}`;
}

/** Number of "EINTR" (negative), 0 when unknown. */
export function errnoNumber(name: string): number {
  return Object.entries(E).find(([key]) => `E${key}` === name)?.[1] ?? 0;
}
