/** Walks over thread_list that send a signal (kill.ts): their locals. */

export interface Walk {
  target: number;
  signal: number;
  /** What si_pid becomes. */
  sender: number;
  /** use_ipc: children and other processes, too. */
  ipc: boolean;
  threads: number[];
  children: number[];
  found: boolean;
}

export const walkArgs = (target: number, signal: number, sender: number, ipc: boolean): Walk => ({
  target,
  signal,
  sender,
  ipc,
  threads: [],
  children: [],
  found: false,
});
