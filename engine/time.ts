/** Virtual time. */

/**
 * Unreachable virtual time in ns; stands for "for ever" so that the state stays JSON. It is Number.MAX_SAFE_INTEGER, as a literal: that is put
 * where it is used when the program is bundled, and times beside it stay bare numbers.
 */
export const NEVER = 9_007_199_254_740_991;
