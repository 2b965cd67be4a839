/** What an object of a scenario can be: it decides how a LibOS reads, writes and polls it, and what SIGPIPE and EINTR become. */

export const OBJECT_KINDS = ["pipe", "socket", "unix", "tty", "file"] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** An object as a scenario declares it; what is not declared is a pipe that blocks. */
export interface Declared {
  readonly kind: ObjectKind;
  readonly nonblock: boolean;
}

export const PIPE: Declared = { kind: "pipe", nonblock: false };
