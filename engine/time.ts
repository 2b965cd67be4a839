/** Virtual time. */

/** Unreachable virtual time in ns; stands for "for ever" so that the state stays JSON. */
export const NEVER = Number.MAX_SAFE_INTEGER;
