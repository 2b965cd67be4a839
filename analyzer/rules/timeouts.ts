/** Time-outs of calls, as the labels of the application's calls tell them: "poll(pipe, 500000000)". */

const CALLS = /^(?:poll|ppoll|epoll_wait|epoll_pwait|select|pselect|futex_wait)\(.*, (\d+)\)$/;

/** ns; null for a call that has none, or one that never ends. */
export function timeoutOf(label: string): number | null {
  const ns = CALLS.exec(label)?.[1];
  return ns === undefined ? null : Number(ns);
}
