/** How an error that is nobody's fault but ours is told. */

export const BUG = "this is a bug of eintr, please report it";
export const BUG_EXIT_CODE = 70;
