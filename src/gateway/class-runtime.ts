import { execute, type DocumentNode, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { buildClassSchema, guard, type PolicyClass } from '../governance/index.js';
import { LIMITS, NOTICES, type Action, type EntityDeclaration, type Predicate, type Tag } from '../kernel/index.js';
import { compileSql, type ColumnTypes, type CompiledSql } from '../store/index.js';
import { pathVerdicts } from './access.js';
import { PlanUnsupported, argumentsOf, conditionVariables, planQuery, type ArgumentSite, type PlannedOperation } from './plan.js';
import type { OperationParts } from './document.js';
import { Lru } from './lru.js';

/** A plan with its statement, ready to run for any values of its arguments. */
export interface ReadyPlan extends PlannedOperation {
  readonly sql: CompiledSql;
}

/** What goes beside the data of an answer; null where there is nothing to tell or the class may not know. */
export interface Verdicts {
  readonly governance:
    readonly { readonly path: string; readonly verdict: string; readonly mask?: string; readonly ruleId: string | null }[] | null;
  readonly notices: readonly { readonly code: string; readonly text: string }[] | null;
  /** How many paths the class is denied; for the record only. */
  readonly denied: number;
}

interface Variants {
  sites: readonly ArgumentSite[];
  readonly byShape: Lru<ReadyPlan>;
}

/** Everything that is compiled once for a policy class: its schema, its guard and its plans. */
export class ClassRuntime {
  /** What callers of the class see; executors take it as it is. */
  readonly schema: GraphQLSchema;
  private guarded: GraphQLSchema | undefined;
  private readonly told = new Lru<Verdicts>(LIMITS.plan_cache_entries_max);
  private readonly plans = new Lru<Variants>(LIMITS.plan_cache_entries_max);

  constructor(
    private readonly whole: GraphQLSchema,
    readonly policyClass: PolicyClass,
    private readonly types: ColumnTypes,
  ) {
    this.schema = buildClassSchema(whole, policyClass);
  }

  /** The schema with the generated shield around every resolver: the reference path and all mutations. */
  get guardedSchema(): GraphQLSchema {
    return (this.guarded ??= guard(this.schema, this.policyClass));
  }

  /** The plan of a query, or null where the compiled path does not do it. A plan is kept by document, operation, conditions and the arguments that are there. */
  plan(parts: OperationParts, variables: Record<string, unknown>): ReadyPlan | null {
    const { operation, fragments, digest } = parts;
    const conditions = conditionVariables(operation, fragments).map((name) => variables[name]);
    const key = JSON.stringify([digest, operation.name?.value ?? '', conditions]);
    const known = this.plans.get(key);
    if (known) {
      const ready = known.byShape.get(shapeOf(known.sites, variables));
      if (ready) return ready;
    }
    try {
      const planned = planQuery({ schema: this.schema, policyClass: this.policyClass, operation, fragments, variables });
      const ready: ReadyPlan = { ...planned, sql: compileSql(planned.plan.fields, planned.plan.datasets, this.types) };
      const variants = known ?? { sites: planned.sites, byShape: new Lru<ReadyPlan>(64) };
      variants.byShape.set(shapeOf(planned.sites, variables), ready);
      this.plans.set(key, variants);
      return ready;
    } catch (error) {
      if (error instanceof PlanUnsupported) return null;
      throw error;
    }
  }

  /** Rows that a reader may use: those for which one grant covers everything that it reads and everything that is asked of it. */
  readerRule(tags: readonly Tag[], entity: EntityDeclaration, action: Action): Predicate {
    return this.policyClass.rowRule(entity, tags, action, 'many');
  }

  /**
   * What policy does at each path of a document, for those who may know rules, and the statements that go with the answer.
   * A document has one for all its requests: the paths are those of the class, never of rows.
   */
  verdicts(parts: OperationParts, variables: Record<string, unknown>): Verdicts {
    const { operation, fragments, digest } = parts;
    const conditions = conditionVariables(operation, fragments).map((name) => variables[name]);
    const key = JSON.stringify([digest, operation.name?.value ?? '', conditions]);
    const known = this.told.get(key);
    if (known) return known;
    const found = pathVerdicts(this.whole, this.policyClass, { schema: this.schema, operation, fragments, variables });
    const told = found.map(({ path, verdict, mask, ruleIds }) => ({
      path,
      verdict,
      ...(mask === null ? {} : { mask }),
      ruleId: ruleIds[0] ?? null,
    }));
    const notices = [...new Set(found.flatMap((each) => each.notices))].map((code) => ({ code, text: NOTICES[code] }));
    const made = {
      governance: this.policyClass.may('read', ['evidence']) ? told : null,
      notices: notices.length > 0 ? notices : null,
      denied: found.filter((each) => each.verdict === 'denied').length,
    };
    this.told.set(key, made);
    return made;
  }

  introspect(document: DocumentNode, variables: Record<string, unknown>, operationName: string | undefined): ExecutionResult {
    const result = execute({ schema: this.schema, document, variableValues: variables, operationName });
    if (result instanceof Promise) throw new Error('introspection does not wait');
    return result;
  }
}

/** Which arguments are there, and which order was chosen: what the statement depends on, beside the document. */
function shapeOf(sites: readonly ArgumentSite[], variables: Record<string, unknown>): string {
  return sites
    .map((site) => {
      const args = argumentsOf(site, variables);
      const present = Object.keys(args).filter((name) => args[name] !== undefined && args[name] !== null);
      return `${present.sort().join(',')}${typeof args['orderBy'] === 'string' ? `=${args['orderBy']}` : ''}`;
    })
    .join(';');
}
