/** Versions of VCF that are read. */
export const VCF_VERSIONS = ['4.1', '4.2', '4.3', '4.4', '4.5'] as const;
export type VcfVersion = (typeof VCF_VERSIONS)[number];

/** One INFO or FORMAT definition: `number` is a count or one of . A R G (and P, LA, LR, LG, M of 4.4 and 4.5). */
export interface VcfDefinition {
  readonly id: string;
  readonly number: string;
  readonly type: string;
}

interface Reserved extends VcfDefinition {
  readonly since: VcfVersion;
  readonly until: VcfVersion;
}

function table(rows: string): readonly Reserved[] {
  return rows
    .trim()
    .split('\n')
    .map((row) => {
      const [id = '', number = '', type = '', since = '4.1', until = '4.5'] = row.trim().split(/\s+/);
      return { id, number, type, since: since as VcfVersion, until: until as VcfVersion };
    });
}

/** Reserved INFO keys: id, Number, Type, first and last version that says so (VCF 4.1-4.5, section 1.6.1 item 8 and section 3). */
const INFO = table(`
  AA 1 String
  AC A Integer
  AF A Float
  AN 1 Integer
  BQ 1 Float
  CIGAR A String
  DB 0 Flag
  DP 1 Integer
  END 1 Integer
  H2 0 Flag
  H3 0 Flag
  MQ 1 Float
  MQ0 1 Integer
  NS 1 Integer
  SOMATIC 0 Flag
  VALIDATED 0 Flag
  1000G 0 Flag
  AD R Integer 4.3
  ADF R Integer 4.3
  ADR R Integer 4.3
  IMPRECISE 0 Flag
  NOVEL 0 Flag
  SVTYPE 1 String 4.1 4.3
  CIPOS 2 Integer 4.1 4.3
  CIEND 2 Integer 4.1 4.3
  EVENT 1 String 4.1 4.3
  PARID 1 String 4.1 4.3
  MATEID 1 String 4.1 4.1
`);

/** Reserved FORMAT keys (VCF 4.1-4.5, section 1.6.2 or its table). */
const FORMAT = table(`
  GT 1 String
  DP 1 Integer
  FT 1 String
  GL G Float
  PL G Integer
  GQ 1 Integer
  HQ 2 Integer
  PS 1 Integer 4.1 4.3
  PQ 1 Integer
  EC A Integer
  MQ 1 Integer
  AD R Integer 4.3
  ADF R Integer 4.3
  ADR R Integer 4.3
  GP G Float
  CN 1 Integer 4.1 4.3
  CNQ 1 Float
  NQ 1 Integer 4.1 4.3
  HAP 1 Integer
  AHAP 1 Integer
`);

const COUNTS = new Set(['AC', 'AF', 'AN', 'BQ', 'DP', 'END', 'MQ', 'MQ0', 'NS']);

/** True for reserved INFO keys whose values cannot be negative. */
export function isNonNegative(id: string): boolean {
  return COUNTS.has(id);
}

function of(rows: readonly Reserved[], version: VcfVersion): ReadonlyMap<string, VcfDefinition> {
  return new Map(rows.filter((row) => row.since <= version && version <= row.until).map((row) => [row.id, row]));
}

/** What the given version says about its reserved INFO keys. */
export function reservedInfo(version: VcfVersion): ReadonlyMap<string, VcfDefinition> {
  return of(INFO, version);
}

/** What the given version says about its reserved FORMAT keys. */
export function reservedFormat(version: VcfVersion): ReadonlyMap<string, VcfDefinition> {
  return of(FORMAT, version);
}

const TYPES = { INFO: ['Integer', 'Float', 'Flag', 'Character', 'String'], FORMAT: ['Integer', 'Float', 'Character', 'String'] } as const;
const NUMBER_WORDS: Readonly<Record<string, VcfVersion>> = {
  '.': '4.1',
  A: '4.1',
  G: '4.1',
  R: '4.2',
  P: '4.4',
  LA: '4.5',
  LR: '4.5',
  LG: '4.5',
  M: '4.5',
};

export function isType(kind: 'INFO' | 'FORMAT', type: string): boolean {
  return (TYPES[kind] as readonly string[]).includes(type);
}

/** The version that brought a Number word; undefined when no version knows it. Counts are known from the first. */
export function numberSince(number: string): VcfVersion | undefined {
  return /^\d+$/.test(number) ? '4.1' : NUMBER_WORDS[number];
}
