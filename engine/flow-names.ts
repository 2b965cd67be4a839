/** Names of the flows made from a scenario. */

export const programFlow = (name: string): string => `program ${name}`;
/**
 * Where an operation of a long log stands in the list of sites: in all programs that have one of its sort. Which of them is meant says the
 * thread.
 */
export const PROGRAMS_FLOW = "a program of the log";
export const handlerFlow = (name: string): string => `handler ${name}`;

/** Name of the flow in which a thread was at a site: of the flow's name there, and the thread's. */
export const flowAt = (siteFlow: string, thread: string): string =>
  siteFlow === PROGRAMS_FLOW ? programFlow(thread.replace(/#\d+$/, "")) : siteFlow;
