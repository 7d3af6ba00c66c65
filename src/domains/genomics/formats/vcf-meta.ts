import { isType, numberSince, reservedFormat, reservedInfo, type VcfVersion } from './vcf-reserved.js';

/** A fault of one metadata line. A fatal one leaves the definition unreadable; the others only break a rule of the specification. */
export interface MetaFault {
  readonly reason: string;
  readonly fatal?: boolean;
}

export interface MetaField {
  readonly text: string;
  readonly quoted: boolean;
}

const KEY = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const URL_VALUE = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^@/\s]+@)?([A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*|\d+(\.\d+){3})?(:\d+)?(\/\S*)?$/;
const STRUCTURED = new Set(['INFO', 'FORMAT', 'FILTER', 'ALT', 'contig', 'SAMPLE', 'META', 'PEDIGREE']);

/** Reads `<key=value,key="value",...>` (VCF 4.3 section 1.4) in order; a string names the fault. */
export function parseFields(value: string): Map<string, MetaField> | string {
  if (!value.startsWith('<') || !value.endsWith('>')) return 'is not enclosed in < and >';
  const fields = new Map<string, MetaField>();
  const end = value.length - 1;
  let at = 1;
  while (at < end) {
    const equals = value.indexOf('=', at);
    if (equals === -1 || equals >= end) return 'holds a part that is not key=value';
    const key = value.slice(at, equals);
    if (!KEY.test(key)) return 'holds a part that is not key=value';
    if (fields.has(key)) return 'holds a key twice';
    const stop = valueEnd(value, equals + 1, end);
    if (stop === -1) return 'holds a quoted text that does not end';
    const quoted = value[equals + 1] === '"';
    const text = quoted ? value.slice(equals + 2, stop - 1).replace(/\\(["\\])/g, '$1') : value.slice(equals + 1, stop);
    if (stop < end && value[stop] !== ',') return 'holds text behind a closing quote';
    if (!quoted && text.includes('>')) return 'holds a > inside a value';
    fields.set(key, { text, quoted });
    at = stop + 1;
  }
  return fields;
}

function valueEnd(value: string, start: number, end: number): number {
  if (value[start] === '"') {
    for (let at = start + 1; at < end; at += 1) {
      if (value[at] === '\\') at += 1;
      else if (value[at] === '"') return at + 1;
    }
    return -1;
  }
  if (value[start] === '[') {
    const close = value.indexOf(']', start);
    if (close !== -1 && close < end) return close + 1;
  }
  const comma = value.indexOf(',', start);
  return comma === -1 || comma > end ? end : comma;
}

/** Checks one metadata line by its key; undefined when it is sound. */
export function checkDefinition(key: string, value: string, version: VcfVersion): MetaFault | undefined {
  if ((key === 'assembly' || key === 'pedigreeDB') && !isUrlOf(key, value)) return { reason: `${key} is not a URL.` };
  if (!STRUCTURED.has(key)) return undefined;
  const fields = parseFields(value);
  if (typeof fields === 'string') return { reason: `The ${key} definition ${fields}.`, fatal: key !== 'PEDIGREE' && key !== 'SAMPLE' };
  if (key === 'PEDIGREE') return checkPedigree(fields, version);
  const id = fields.get('ID')?.text ?? '';
  if (id === '') return { reason: `The ${key} definition has no ID.`, fatal: key !== 'SAMPLE' && key !== 'META' };
  if (/\s/.test(id)) return { reason: `The ID of a ${key} definition holds white space.` };
  if (fields.keys().next().value !== 'ID') return { reason: `The ${key} definition does not begin with ID.` };
  if (key === 'INFO' || key === 'FORMAT') return checkTyped(key, id, fields, version);
  if (key === 'ALT') return checkAlt(id, fields);
  if (key === 'META') return checkMeta(fields);
  if (key === 'FILTER') return checkDescription(key, fields);
  return key === 'SAMPLE' ? checkSample(fields) : undefined;
}

function isUrlOf(key: string, value: string): boolean {
  if (key === 'assembly') return URL_VALUE.test(value) || /^[\w./-]+$/.test(value);
  const bare = value.startsWith('<') && value.endsWith('>') ? value.slice(1, -1) : value;
  return URL_VALUE.test(bare);
}

function checkDescription(key: string, fields: Map<string, MetaField>): MetaFault | undefined {
  const description = fields.get('Description');
  if (description === undefined) return { reason: `The ${key} definition has no Description.` };
  return description.quoted ? undefined : { reason: `The Description of a ${key} definition is not quoted.` };
}

function checkTyped(kind: 'INFO' | 'FORMAT', id: string, fields: Map<string, MetaField>, version: VcfVersion): MetaFault | undefined {
  const number = fields.get('Number')?.text;
  const type = fields.get('Type')?.text;
  if (number === undefined || type === undefined) return { reason: `The ${kind} definition lacks Number or Type.`, fatal: true };
  const since = numberSince(number);
  if (since === undefined) return { reason: `The Number of the ${kind} definition is none that VCF knows.`, fatal: true };
  if (since > version) return { reason: `The Number of the ${kind} definition is not of this version of VCF.` };
  if (!isType(kind, type)) return { reason: `The Type of the ${kind} definition is none that VCF knows.`, fatal: true };
  const order = [...fields.keys()].slice(0, 4).join();
  if (order !== 'ID,Number,Type,Description')
    return { reason: `The ${kind} definition is not in the order ID, Number, Type, Description.` };
  if (version >= '4.3' && !(kind === 'INFO' ? /^([A-Za-z_][\w.]*|1000G)$/ : /^[A-Za-z_][\w.]*$/).test(id)) {
    return { reason: `The ID of the ${kind} definition holds a character that is not allowed.` };
  }
  const reserved = (kind === 'INFO' ? reservedInfo(version) : reservedFormat(version)).get(id);
  if (reserved !== undefined && (reserved.number !== number || reserved.type !== type)) {
    return {
      reason: `The ${kind} definition of reserved key ${reserved.id} must have Number=${reserved.number} and Type=${reserved.type}.`,
    };
  }
  return checkDescription(kind, fields);
}

function checkAlt(id: string, fields: Map<string, MetaField>): MetaFault | undefined {
  if (fields.has('Number') || fields.has('Type')) return { reason: 'An ALT definition holds ID and Description only.' };
  if (/[<>]/.test(id)) return { reason: 'The ID of an ALT definition holds a < or >.' };
  return checkDescription('ALT', fields);
}

function checkMeta(fields: Map<string, MetaField>): MetaFault | undefined {
  const type = fields.get('Type')?.text ?? '';
  const values = fields.get('Values')?.text ?? '';
  if (!isType('FORMAT', type)) return { reason: 'The Type of a META definition is none that VCF knows.' };
  return values.startsWith('[') && values.endsWith(']') ? undefined : { reason: 'The Values of a META definition are not a list in [ ].' };
}

function checkSample(fields: Map<string, MetaField>): MetaFault | undefined {
  const counts = ['Genomes', 'Mixture'].map((key) => fields.get(key)?.text.split(/[;,]/).length);
  if (counts[1] !== undefined && counts[0] !== counts[1]) {
    return { reason: 'A SAMPLE definition has unequal numbers of Genomes and Mixture.' };
  }
  return undefined;
}

function checkPedigree(fields: Map<string, MetaField>, version: VcfVersion): MetaFault | undefined {
  if (version >= '4.3' && !fields.has('ID')) return { reason: 'A PEDIGREE line has no ID.' };
  for (const field of fields.values()) {
    if (/[\s:,]/.test(field.text)) return { reason: 'A PEDIGREE line holds a character that is not allowed.' };
  }
  return undefined;
}
