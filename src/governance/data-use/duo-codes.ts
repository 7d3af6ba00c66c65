/** What a code of the Data Use Ontology is: a permission says which use, a modifier limits it, an abstract code only groups others. */
export type DataUseKind = 'permission' | 'modifier' | 'abstract';

/** What stands beside a code: nothing, perhaps a note for people, a list of names, one ISO 8601 day, or a number of months. */
export type DataUseParameter = 'none' | 'note' | 'list' | 'date' | 'months';

export interface DataUseTerm {
  readonly shorthand: string;
  readonly kind: DataUseKind;
  readonly parameter: DataUseParameter;
}

const permission = <S extends string>(shorthand: S, parameter: DataUseParameter = 'none') =>
  ({ shorthand, kind: 'permission', parameter }) as const;
const modifier = <S extends string>(shorthand: S, parameter: DataUseParameter = 'none') =>
  ({ shorthand, kind: 'modifier', parameter }) as const;
const abstract = { shorthand: '', kind: 'abstract', parameter: 'none' } as const;

/**
 * The closed table of codes: GA4GH Data Use Ontology (EBISPOT/DUO, release 2021-02-23), which has 25. The parameters are those that
 * the comments of the ontology couple with a code.
 */
export const DUO_CODES = {
  'DUO:0000001': abstract,
  'DUO:0000004': permission('NRES'),
  'DUO:0000006': permission('HMB'),
  'DUO:0000007': permission('DS', 'list'),
  'DUO:0000011': permission('POA'),
  'DUO:0000012': modifier('RS', 'list'),
  'DUO:0000015': modifier('NMDS'),
  'DUO:0000016': modifier('GSO'),
  'DUO:0000017': abstract,
  'DUO:0000018': modifier('NPUNCU'),
  'DUO:0000019': modifier('PUB'),
  'DUO:0000020': modifier('COL', 'note'),
  'DUO:0000021': modifier('IRB'),
  'DUO:0000022': modifier('GS', 'list'),
  'DUO:0000024': modifier('MOR', 'date'),
  'DUO:0000025': modifier('TS', 'months'),
  'DUO:0000026': modifier('US', 'list'),
  'DUO:0000027': modifier('PS', 'list'),
  'DUO:0000028': modifier('IS', 'list'),
  'DUO:0000029': modifier('RTN'),
  'DUO:0000042': permission('GRU'),
  'DUO:0000043': modifier('CC'),
  'DUO:0000044': modifier('NPOA'),
  'DUO:0000045': modifier('NPU'),
  'DUO:0000046': modifier('NCU'),
} as const satisfies Readonly<Record<string, DataUseTerm>>;

export type DuoCode = keyof typeof DUO_CODES;
type Shorthand<K extends DataUseKind> = Extract<(typeof DUO_CODES)[DuoCode], { kind: K }>['shorthand'];
export type Permission = Shorthand<'permission'>;
export type Modifier = Shorthand<'modifier'>;

export const isDuoCode = (code: string): code is DuoCode => Object.hasOwn(DUO_CODES, code);
