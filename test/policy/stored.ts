/** A database for the judging of what becomes SQL. */
import { openBench, type Bench } from './check.js';

export type Stored = Bench;
export const openStored = (): Promise<Stored> => openBench(5);
