/** What the echo stack keeps: how often a thread has heard an echo, and what its processes said last. */

import type { Process, Thread } from "../../../engine/index.ts";

export interface EchoThread extends Thread {
  libos: { echoes: number; waiting: number };
}

export interface EchoProcess extends Process {
  libos: { said: string };
}
