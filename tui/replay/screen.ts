/** The real terminal: alternate screen, mouse, cursor; everything is undone however the program ends. */

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?1000h\u001b[?1002h\u001b[?1006h";
const LEAVE = "\u001b[?1006l\u001b[?1002l\u001b[?1000l\u001b[?25h\u001b[?1049l\u001b[0m";

export interface Screen {
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
  enter();
  // Last resort: also after an error nobody caught.
  process.on("exit", leave);
  return {
    leave,
    suspend(resumed) {
      leave();
      process.stdin.setRawMode?.(false);
      process.once("SIGCONT", () => {
        process.stdin.setRawMode?.(true);
        enter();
        resumed();
      });
      process.kill(process.pid, "SIGSTOP");
    },
    // OSC 52: the terminal keeps it, also over ssh.
    copy: (text) => void out.write(`\u001b]52;c;${Buffer.from(text).toString("base64")}\u0007`),
  };
}
