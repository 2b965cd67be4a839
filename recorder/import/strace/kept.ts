/**
 * What is kept of a line's texts. A log of a million lines is held in memory: of arguments only what some reader asks for, each text
 * once, and none that keeps the chunk of the file alive which it was cut from.
 */

/** Calls whose arguments are read: signals, waits, threads, ends. Of all others the descriptor is told, and the last argument. */
const READ_WHOLE: ReadonlySet<string> = new Set([
  ...["rt_sigaction", "rt_sigprocmask", "rt_sigsuspend", "rt_sigpending", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack"],
  ...[
    "kill",
    "tkill",
    "tgkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "alarm",
    "setitimer",
    "timer_create",
    "timer_settime",
    "timer_delete",
    "nanosleep",
    "clock_nanosleep",
    "wait4",
    "waitid",
    "signalfd",
    "signalfd4",
  ],
  ...["poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "futex", "semop", "semtimedop", "msgrcv"],
  ...["clone", "clone3", "fork", "vfork", "execve", "exit", "exit_group", "setpgid", "setsid", "restart_syscall", "socketpair"],
]);

/** Words in the middle of a call's arguments that somebody asks for: signals read from a file, a socket's time-out, pages that are read alone. */
const READ_WITH = /ssi_signo=|SO_RCVTIMEO|, PROT_READ(?:,|$)/;
/** What fcntl does stands in the middle. */
const COMMAND = /^[^,]{1,300}, F_\w{1,30}/;
/** Flags that stand in the middle. */
const NO_SIGNAL = "MSG_NOSIGNAL";

/** Texts of which one copy is kept. */
const MOST_TEXTS = 50_000;

export class Kept {
  private texts = new Map<string, string>();

  /** The same text, on its own and only once. */
  text(text: string): string {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size >= MOST_TEXTS) this.texts = new Map();
    // A piece of a longer text would keep that one.
    const own = Buffer.from(text).toString();
    this.texts.set(own, own);
    return own;
  }

  args(name: string, args: string): string {
    if (READ_WHOLE.has(name) || READ_WITH.test(args)) return this.text(args);
    const command = name === "fcntl" ? COMMAND.exec(args) : null;
    if (command) return this.text(command[0]);
    const first = args.indexOf(", ");
    if (first < 0) return this.text(args.slice(0, 300));
    if (args.includes(NO_SIGNAL)) return this.text(`${args.slice(0, Math.min(first, 300))}, ${NO_SIGNAL}`);
    return this.text(`${args.slice(0, Math.min(first, 300))}, ${args.slice(args.lastIndexOf(", ") + 2).slice(0, 40)}`);
  }
}
