/** Words of the field, for who is new to it: the help of the replay, `eintr help WORD`. */

export const GLOSSARY: readonly (readonly [word: string, text: string])[] = [
  ["transition", "one step of one thread; seq numbers them all"],
  ["LibOS", "the library OS: the application's kernel, in its own process"],
  ["PAL", "Platform Adaptation Layer: takes the LibOS's calls (Dk..., today Pal...) to the host"],
  ["upcall", "the other way: the PAL tells the LibOS of an event, such as a signal"],
  ["ocall", "a call out of the enclave, to have the host do something"],
  ["AEX", "asynchronous enclave exit: an interrupt or a fault, not the code, left it"],
  ["TCS", "thread control structure: a thread's place in the enclave"],
  ["SSA, CSSA", "state save area: an AEX keeps the registers there; CSSA counts the frames in use"],
  ["signal context", "a host signal handler runs, until rt_sigreturn"],
  ["pended", "came while the Linux PAL ran: is told at the end of the PAL call"],
  ["preempt", "counter of a LibOS thread: signals that come while it is up are deferred"],
  ["EENTER, EEXIT", "the instructions that enter and leave an enclave; ERESUME goes on after an AEX"],
  ["virtual time", "the clock of a run: each transition takes what its sort costs (eintr stack --costs), not what the computer took"],
  ["verdict", "how the run ended, and what the application saw otherwise than on Linux alone"],
  ["finding", "what a rule found: its evidence is transitions, one of them the wrong turn"],
];
