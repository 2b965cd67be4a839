/** The real terminal: alternate screen, mouse, pasted text in brackets, cursor; everything is undone however the program ends. */

import { BUG, BUG_EXIT_CODE } from "../../bug.ts";
import { safeLines } from "../../present/safe.ts";

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?1000h\u001b[?1002h\u001b[?1006h\u001b[?2004h\u001b[H";
const LEAVE = "\u001b[?2004l\u001b[?1006l\u001b[?1002l\u001b[?1000l\u001b[?25h\u001b[?1049l\u001b[0m";
/** Who cannot be stopped (there is no shell to go on with it) finds itself running after so long, ms. */
const NOT_STOPPED_MS = 100;

export interface Screen {
  /** How to stop what draws on it, before an error is told that ends the program. */
  drawnBy(stop: () => void): void;
  /** Give the terminal back; more than once does no harm. */
  leave(): void;
  /** Stop as Ctrl-Z does; `resumed` is called when the shell goes on with it. */
  suspend(resumed: () => void): void;
  copy(text: string): void;
}

/** Takes the terminal. */
export function enterScreen(out: NodeJS.WriteStream): Screen {
  let inside = false;
  const enter = (): void => {
    if (!inside) out.write(ENTER);
    inside = true;
  };
  const leave = (): void => {
    if (inside) out.write(LEAVE);
    inside = false;
  };
  let stopDrawing = (): void => {};
  // An error that nobody caught would else be written on the screen that is about to vanish, or drawn over by a last frame.
  const crash = (error: unknown): void => {
    try {
      stopDrawing();
    } catch {
      // What draws may be what is broken.
    }
    leave();
    process.stdin.setRawMode?.(false);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`eintr: ${BUG}\n${safeLines(text)}\n`);
    process.exit(BUG_EXIT_CODE);
  };
  enter();
  process.on("exit", leave);
  process.on("uncaughtException", crash);
  return {
    drawnBy(stop) {
      stopDrawing = stop;
    },
    leave() {
      leave();
      process.off("exit", leave);
      process.off("uncaughtException", crash);
    },
    suspend(resumed) {
      leave();
      process.stdin.setRawMode?.(false);
      const back = (): void => {
        clearTimeout(timer);
        process.off("SIGCONT", back);
        process.stdin.setRawMode?.(true);
        enter();
        resumed();
      };
      const timer = setTimeout(back, NOT_STOPPED_MS);
      process.on("SIGCONT", back);
      // The whole job, as the terminal's own Ctrl-Z: who waits for this program (npm, a script) is to stop as well.
      process.kill(0, "SIGTSTP");
    },
    // OSC 52: the terminal keeps it, also over ssh.
    copy: (text) => void out.write(`\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`),
  };
}
