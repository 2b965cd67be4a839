/**
 * Flows that had another name in an earlier version of eintr: a scenario that pins a signal to a place still finds it. The names of today
 * are those of the base revision's C functions (errata A20).
 */

const FORMER: Readonly<Record<string, readonly string[]>> = {
  ocall_tgkill: ["ocall_wake_thread"],
  ocall_clone: ["ocall_wake_thread"],
  ocall_fork: ["ocall_create_process"],
  ocall_futex_wake: ["ocall_futex"],
  ocall_futex_wait: ["ocall_futex"],
  ocall_wait_any: ["ocall_poll", "ocall_futex"],
  ocall_nanosleep: ["ocall_sleep"],
  ocall_sched_yield: ["ocall_sleep"],
  ocall_clock_gettime: ["ocall_gettime"],
  ocall_accept: ["ocall_sock_accept"],
};

/** The place itself, then the places that a former name of its flow may mean, likeliest first. `site` is "flow: label". */
export function placesMeant(site: string): readonly string[] {
  const end = site.indexOf(": ");
  const flow = site.slice(0, end);
  if (end < 0 || !Object.hasOwn(FORMER, flow)) return [site];
  return [site, ...(FORMER[flow] ?? []).map((name) => name + site.slice(end))];
}
