/** Names of the flows made from a scenario. */

export const programFlow = (name: string): string => `program ${name}`;
export const handlerFlow = (name: string): string => `handler ${name}`;
