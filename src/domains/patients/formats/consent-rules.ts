import { ALL_LABELS } from '../../../kernel/classification.js';
import {
  ALL_LEVELS,
  BREAK_GLASS,
  deniedLabels,
  deniedPurposes,
  LEVEL,
  MODALITY_CATEGORIES,
  permittedLabels,
  PURPOSES,
  STUDY,
  TPO,
  type LabelBounds,
} from './consent-codes.js';
import { deniedData, permittedRefs } from './consent-reference.js';
import { common, intersect, subtract, TooInvolved, union, type Box, type Region } from './consent-region.js';
import type { ConsentProvision, ConsentRecord } from './fhir-consent.js';
import { dateInterval } from './fhir-date.js';

/** Studies beyond these are not compiled, so nothing is permitted for them. */
const STUDIES_MAX = 20;
/** Boxes looked at while the consents of one person are compiled: about a second. */
const WORK_MAX = 10_000_000;
const ALL_CATEGORIES = [...MODALITY_CATEGORIES.values()].reduce((bits, bit) => bits | bit, 0);

/** The purposes that the consents of one person are compiled for; the place in `names` is the bit. */
export class Purposes {
  readonly names: readonly string[];
  readonly all: number;
  /** What a permission without purposes is for. */
  readonly usual: number;
  private work = 0;

  constructor(consents: readonly ConsentRecord[]) {
    const named = consents.flatMap((consent) => consent.provisions.flatMap((rule) => rule.purposes));
    const studies = [...new Set(named.filter((code) => code.startsWith(STUDY)))].sort().slice(0, STUDIES_MAX);
    this.names = [...PURPOSES, BREAK_GLASS, ...studies];
    this.all = 2 ** this.names.length - 1;
    this.usual = this.bits(PURPOSES);
  }

  bits(codes: readonly string[]): number {
    return this.names.reduce((bits, name, at) => (codes.includes(name) ? bits | (1 << at) : bits), 0);
  }

  /** Counts boxes that are looked at. @throws TooInvolved where all consents of the person together take too many */
  spend(boxes: number): void {
    this.work += boxes;
    if (this.work > WORK_MAX) throw new TooInvolved();
  }

  everything(): Box {
    return {
      purposes: this.all,
      categories: ALL_CATEGORIES,
      levels: ALL_LEVELS,
      labels: ALL_LABELS,
      any: 0,
      recipients: null,
      from: -Infinity,
      to: Infinity,
      refs: null,
      not: [],
    };
  }

  /** What holds where no consent speaks: treatment, payment and operations on data of normal sensitivity without a label. */
  implied(): Region {
    return [{ ...this.everything(), purposes: this.bits(TPO), levels: LEVEL.N, labels: 0 }];
  }
}

/** What a consent permits at one instant. `unsaid` is what holds where its root does not speak: nothing, or everything to see its denials only. */
export function consentRegion(consent: ConsentRecord, purposes: Purposes, at: number, unsaid: Region): Region {
  if (consent.notUnderstood.length > 0 || consent.provisions.length === 0) return [];
  try {
    return new Rules(consent.provisions, purposes, at).apply(0, unsaid, null);
  } catch (error) {
    if (error instanceof TooInvolved) return [];
    throw error;
  }
}

/** What a rule hands down to its exceptions. */
interface Reach {
  readonly rule: ConsentProvision;
  /** The bounds of the rule, its labels apart. */
  readonly box: Box;
  readonly labels: readonly LabelBounds[];
  /** Whether it or a rule above it names purposes. */
  readonly named: boolean;
}

/**
 * Applies provisions to a region. Nested provisions are exceptions to their parent: what they do not state they take from it. Inside a
 * permission they may name purposes and labels of their own (IHE PCF permits restricted data for BTG inside a permission for
 * treatment); inside a denial they stay within it. Denials win over permissions beside them.
 */
class Rules {
  constructor(
    private readonly provisions: readonly ConsentProvision[],
    private readonly purposes: Purposes,
    private readonly at: number,
  ) {}

  apply(index: number, region: Region, parent: Reach | null): Region {
    const rule = this.provisions[index] as ConsentProvision;
    this.purposes.spend(this.provisions.length + region.length);
    const { start, end } = bounds(rule);
    if (this.at < start || this.at >= end) return region;
    return rule.type === 'permit' ? this.permit(index, rule, region, parent) : this.deny(index, rule, region, parent);
  }

  private permit(index: number, rule: ConsentProvision, region: Region, parent: Reach | null): Region {
    const reach = this.reachOf(rule, parent);
    if (reach === null) return region;
    const permitted = reach.labels.map((labels) => common(reach.box, { ...this.purposes.everything(), ...labels }));
    const before = union(
      region,
      permitted.filter((box) => box !== null),
    );
    return this.exceptions(index, 'deny', this.exceptions(index, 'permit', before, reach), reach);
  }

  private deny(index: number, rule: ConsentProvision, region: Region, parent: Reach | null): Region {
    const { boxes, widened } = this.deniedBoxes(rule, parent);
    const left = boxes.reduce(subtract, region);
    const reach = this.reachOf(rule, parent);
    // Exceptions to a denial that was widened hold for those only whom it was about.
    if (widened || reach === null) return left;
    const restored = this.exceptions(index, 'permit', [], reach);
    // An exception to a nested denial restores what was permitted before it, and no more.
    this.purposes.spend(restored.length * boxes.length * (region.length + 1));
    const kept = rule.depth === 0 ? restored : intersect(intersect(restored, boxes), region);
    return this.exceptions(index, 'deny', union(left, kept), reach);
  }

  private exceptions(index: number, type: ConsentProvision['type'], region: Region, reach: Reach): Region {
    return this.nested(index)
      .filter((child) => this.provisions[child]?.type === type)
      .reduce((found, child) => this.apply(child, found, reach), region);
  }

  private reachOf(rule: ConsentProvision, parent: Reach | null): Reach | null {
    const above = parent?.box ?? this.purposes.everything();
    const own = this.purposes.bits(rule.type === 'permit' ? rule.purposes : deniedPurposes(rule.purposes));
    const named = rule.purposes.length > 0 || (parent?.named ?? false);
    const free = parent?.rule.type === 'permit';
    const inherited = rule.type === 'permit' && !named ? above.purposes & this.purposes.usual : above.purposes;
    const purposes = rule.purposes.length === 0 ? inherited : free ? own : own & above.purposes;
    const box = common({ ...above, purposes }, { ...this.purposes.everything(), ...this.boundsOf(rule) });
    const stated = rule.type === 'deny' ? [] : rule.labels;
    const labels = rule.type === 'permit' && stated.length === 0 && parent !== null ? parent.labels : permittedLabels(stated);
    return box === null ? null : { rule, box, labels, named };
  }

  private boundsOf(rule: ConsentProvision): Partial<Box> {
    return {
      ...categoriesOf(rule),
      ...dataPeriod(rule),
      recipients: rule.actors.length === 0 ? null : rule.actors,
      refs: rule.data.length === 0 ? null : permittedRefs(rule.data),
    };
  }

  /** A denial is as wide as what it states; only the purposes and categories of a nested parent narrow it. */
  private deniedBoxes(rule: ConsentProvision, parent: Reach | null): { boxes: Region; widened: boolean } {
    const nested = parent !== null && parent.rule.depth > 0;
    const purposes = rule.purposes.length === 0 ? this.purposes.all : this.purposes.bits(deniedPurposes(rule.purposes));
    const all = this.purposes.everything();
    const reach = { ...all, purposes: purposes & (nested ? parent.box.purposes : purposes), ...categoriesOf(rule), ...dataPeriod(rule) };
    if (nested) reach.categories &= parent.box.categories;
    const data = deniedData(rule.data);
    const boxes = deniedLabels(rule.labels).flatMap((labels): Box[] => [
      { ...reach, ...labels, refs: data.refs },
      ...(data.categories === 0 ? [] : [{ ...reach, ...labels, categories: reach.categories & data.categories }]),
    ]);
    return { boxes, widened: rule.actors.length > 0 || data.widened };
  }

  private nested(index: number): number[] {
    const depth = (this.provisions[index] as ConsentProvision).depth;
    const found: number[] = [];
    for (let at = index + 1; at < this.provisions.length; at++) {
      const rule = this.provisions[at] as ConsentProvision;
      if (rule.depth <= depth) break;
      if (rule.depth === depth + 1) found.push(at);
    }
    return found;
  }
}

function categoriesOf(rule: ConsentProvision): { categories: number } {
  const named = rule.categories.reduce((bits, name) => bits | (MODALITY_CATEGORIES.get(name) ?? 0), 0);
  return { categories: rule.categories.length === 0 ? ALL_CATEGORIES : named };
}

function dataPeriod(rule: ConsentProvision): { from: number; to: number } {
  return intervalOf(rule.dataStart, rule.dataEnd);
}

/** When a provision counts: start inclusive, end exclusive, in ms since 1970; unbounded sides are infinite. */
export function bounds(rule: ConsentProvision): { start: number; end: number } {
  const { from, to } = intervalOf(rule.start, rule.end);
  return { start: from, end: to };
}

function intervalOf(start: string | null, end: string | null): { from: number; to: number } {
  return {
    from: start === null ? -Infinity : (dateInterval(start)?.from ?? -Infinity),
    to: end === null ? Infinity : (dateInterval(end)?.until ?? Infinity),
  };
}
