/** What shows that the product does what a row says: a test by its file and name, or a command of package.json. */
export type RuleCheck = { readonly file: string; readonly test: string } | { readonly command: string };

/** A row of a regulation, and what the product gives of it. Features help to meet a rule; whether it is met is for the installation to say. */
export interface Rule {
  readonly id: string;
  readonly citation: string;
  readonly title: string;
  /** How a specification binds (45 CFR 164.306(d)); null where the rule knows no such difference. Addressable is not optional. */
  readonly binds: 'required' | 'addressable' | 'standard' | null;
  readonly status: 'in force' | 'proposed';
  /** First day on which it has to be met; null for what is proposed. */
  readonly inForceFrom: string | null;
  /** Changes that were proposed and are not final. */
  readonly pending: string | null;
  /** Where the text stands. */
  readonly text: string;
  /** Where in the product the evidence is. */
  readonly evidence: string;
  /** What the installation has to add. */
  readonly remains: string | null;
  readonly checks: readonly RuleCheck[];
}

/** Tests of one file. */
export const testsOf = (file: string, ...tests: readonly string[]): RuleCheck[] => tests.map((test) => ({ file, test }));

/** Address of a section in the Electronic Code of Federal Regulations. */
export const ecfr = (title: number, section: string): string => `https://www.ecfr.gov/current/title-${title}/section-${section}`;
