/** Milliseconds since 1970. The one place that reads the clock of the machine; everything else is given the time. */
export const systemClock = (): number => Date.now();
