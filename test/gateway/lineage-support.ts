/** Questions about lineage and how their answers are read. */
import { ask, codesOf, type Reply, type World } from './support.js';

export interface Node {
  readonly id: string;
  readonly kind: string;
  readonly name: string | null;
  readonly hidden: boolean;
}
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly type: string | null;
  readonly masking: boolean | null;
  readonly runs: number | null;
  readonly version: number | null;
}
export interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
}

export const GRAPH = `query G($roots: [String!]!, $depth: Int, $direction: String) { lineageGraph(roots: $roots, depth: $depth, direction: $direction) {
  nodes { id kind name hidden } edges { from to type masking runs version } } }`;
export const IMPACT = `query I($column: String!, $from: LocalDate!, $to: LocalDate!) { impact(column: $column, from: $from, to: $to) {
  column runs firstAt lastAt plans { plan runs fields { coordinate type masking } } purposes { purpose runs } principals { principal runs } models } }`;
export const SAW = `query S($id: ID!, $from: DateTimeISO!, $to: DateTimeISO!, $first: Int, $after: String) {
  whoSaw(patientId: $id, from: $from, to: $to, first: $first, after: $after) { next
    sightings { run at principal roles purpose plan document breakGlass } } }`;
export const BIRTHS = '{ patients(first: 5) { edges { node { id birthYear } } } }';
export const YEAR = 'column:patient.birth_year';

export const walk = (world: World, who: string, roots: readonly string[], direction = 'BOTH', depth = 6): Promise<Reply> =>
  ask(world, who, GRAPH, { roots, depth, direction });
export const told = (reply: Reply, field: string): unknown => {
  expect(codesOf(reply)).toEqual([]);
  return reply.body.data?.[field];
};
export const graph = async (...args: Parameters<typeof walk>): Promise<Graph> => told(await walk(...args), 'lineageGraph') as Graph;
export const runOf = (reply: Reply): string => {
  expect(codesOf(reply)).toEqual([]);
  return reply.body.extensions?.lineageId ?? '';
};
export const kinds = ({ nodes }: Graph): string[] => [...new Set(nodes.map((node) => node.kind))].sort();
export const ids = ({ nodes }: Graph): string[] => nodes.map((node) => node.id);
export const instant = (ms: number): string => new Date(ms).toISOString();
export const days = (world: World): { from: string; to: string } => ({
  from: instant(world.now - 86_400_000).slice(0, 10),
  to: instant(world.now + 86_400_000).slice(0, 10),
});
export const span = (world: World): { from: string; to: string } => ({
  from: instant(world.now - 86_400_000),
  to: instant(world.now + 86_400_000),
});
export const personOf = (reply: Reply): string => {
  const { patients } = reply.body.data as { patients: { edges: { node: { id: string } }[] } };
  return patients.edges[0]?.node.id ?? '';
};
