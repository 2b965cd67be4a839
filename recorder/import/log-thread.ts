/** One thread of the log on its way: calls that are open, handlers that run, a call's return that a handler may still precede. */

import type { Happened } from "./happened.ts";

const EINTR = -4;
/** Codes by which the kernel part says "again, or EINTR": ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK. */
const isRestart = (result: number): boolean => result <= -512 && result >= -516;

const RESTORES = "siglongjmp: restore the mask";

interface Call {
  readonly name: string;
  readonly label: string;
  readonly depth: number;
  /** False for the call that siglongjmp itself makes, which is told with the jump. */
  readonly isTold: boolean;
}

interface Return {
  readonly call: Call;
  readonly result: number;
}

interface Handler {
  readonly signal: number;
  readonly id: number;
  readonly label: string;
  /** What it came before, or in. */
  readonly returns: Return | null;
  /** Calls open when it began. */
  readonly calls: number;
  readonly depth: number;
}

export class LogThread {
  readonly number: number;
  readonly pid: number;
  readonly tid: number;
  /** Beginning of a call's line that goes on. */
  cut = "";
  over = false;
  private readonly happened: Happened;
  private readonly calls: Call[] = [];
  private readonly handlers: Handler[] = [];
  /** The LibOS has its result; the application goes on when nothing comes between. */
  private returns: Return | null = null;
  private depth = 1;

  constructor(happened: Happened, number: number, pid: number, tid: number) {
    this.happened = happened;
    this.number = number;
    this.pid = pid;
    this.tid = tid;
  }

  get creates(): boolean {
    return this.calls.some(({ name }) => name === "clone" || name === "fork" || name === "vfork");
  }

  /** What it creates is a process. */
  get forks(): boolean {
    return this.calls.some(({ name, label }) => name.endsWith("fork") || label === "clone(process)");
  }

  /** The thread ends, or the log: what was done is told. */
  settle(): void {
    if (this.returns === null) return;
    const { call, result } = this.returns;
    this.returns = null;
    this.depth = call.depth - 1;
    if (call.isTold)
      this.happened.put(this.number, "app.return", "app", call.label, { value: isRestart(result) ? EINTR : result, depth: this.depth });
  }

  /** It never gets the result that was ready. */
  drop(): void {
    this.returns = null;
  }

  /** `line`: its number. `mayJump`: siglongjmp puts the mask back with such a call. */
  begin(name: string, label: string, line: number, mayJump = false): void {
    if (this.returns && isRestart(this.returns.result) && this.returns.call.name === name) {
      this.calls.push(this.returns.call);
      this.happened.put(this.number, "libos.restart", "libos", "the call is made again", {
        value: -this.returns.result,
        depth: this.depth,
      });
      this.returns = null;
      return;
    }
    this.settle();
    const isTold = !(mayJump && this.jump(line));
    this.depth += 1;
    this.calls.push({ name, label, depth: this.depth, isTold });
    if (isTold) this.happened.put(this.number, "app.call", "app", label, { value: line, depth: this.depth });
  }

  /** False when the log has no beginning of it. */
  end(name: string, result: number): boolean {
    const at = this.calls.findLastIndex((call) => call.name === name);
    const call = this.calls[at];
    if (call === undefined) return false;
    // In the oldest era no line tells of a handler's end: what it was in goes on.
    while ((this.handlers.at(-1)?.calls ?? 0) > at) this.leaveHandler();
    this.calls.splice(at);
    this.returns = { call, result };
    return true;
  }

  enterHandler(signal: number, id: number, label: string): void {
    this.depth += 1;
    this.handlers.push({ signal, id, label, returns: this.returns, calls: this.calls.length, depth: this.depth });
    this.returns = null;
    this.happened.enterHandler(this.number);
    this.happened.put(this.number, "app.handler.enter", "app", label, {
      signal,
      value: this.handlers.length,
      extra: id,
      depth: this.depth,
    });
  }

  /** False when none runs. */
  leaveHandler(): boolean {
    this.settle();
    const handler = this.handlers.pop();
    if (handler === undefined) return false;
    const { signal, id, label } = handler;
    this.calls.length = Math.min(this.calls.length, handler.calls);
    this.depth = handler.depth - 1;
    this.happened.put(this.number, "app.handler.return", "app", label, {
      signal,
      value: this.handlers.length + 1,
      extra: id,
      depth: this.depth,
    });
    this.happened.leaveHandler(this.number);
    this.returns = handler.returns;
    return true;
  }

  /** siglongjmp puts the mask back with such a call: the handler, and what it interrupted, are left. False when none runs. */
  private jump(line: number): boolean {
    const handler = this.handlers.pop();
    if (handler === undefined) return false;
    const { signal, id, returns } = handler;
    // As a run of a scenario tells it.
    this.happened.put(this.number, "app.call", "app", RESTORES, { value: line, depth: this.depth + 1 });
    this.happened.put(this.number, "app.return", "app", RESTORES, { value: 0, depth: this.depth });
    const interrupted = returns?.call ?? this.calls[handler.calls - 1];
    this.depth = interrupted?.depth ?? handler.depth;
    this.happened.put(this.number, "app.handler.longjmp", "app", "siglongjmp", { signal, value: this.depth, extra: id, depth: this.depth });
    this.happened.leaveHandler(this.number);
    this.depth -= 1;
    this.calls.length = Math.max(0, handler.calls - (returns === null && interrupted ? 1 : 0));
    return true;
  }
}

/** Names of those to whom a signal may have been sent that a thread takes. */
export const targetsOf = ({ pid, tid }: LogThread): readonly string[] => [`thread ${tid}`, `process ${pid}`];
