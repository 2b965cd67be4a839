/**
 * What programs asked for when a signal comes. On Linux it is the whole process's, whoever asked; what a LibOS does with it is another
 * matter, and rules compare the two.
 */

export interface Action {
  /** 0 SIG_DFL, 1 SIG_IGN, from 2 on a handler of the application. */
  readonly action: number;
  /** SA_RESTART 1, SA_RESETHAND 2, SA_NODEFER 4, SA_ONSTACK 8. */
  readonly flags: number;
  /** The row that told it, and its thread. */
  readonly seq: number;
  readonly thread: number;
}

export const SA = { RESTART: 1, RESETHAND: 2, NODEFER: 4, ONSTACK: 8 } as const;

export interface Actions {
  of(pid: number, signal: number): Action | null;
  set(pid: number, signal: number, action: Action): void;
  /** A fork: the child has what its parent has. */
  copy(parent: number, child: number): void;
  forget(pid: number): void;
  forgetAll(): void;
}

export function createActions(): Actions {
  const processes = new Map<number, Map<number, Action>>();
  return {
    of: (pid, signal) => processes.get(pid)?.get(signal) ?? null,
    set(pid, signal, action) {
      let own = processes.get(pid);
      if (own === undefined) {
        own = new Map();
        processes.set(pid, own);
      }
      own.set(signal, action);
    },
    copy(parent, child) {
      const own = processes.get(parent);
      if (own !== undefined && parent !== child) processes.set(child, new Map(own));
    },
    forget: (pid) => void processes.delete(pid),
    forgetAll: () => processes.clear(),
  };
}
